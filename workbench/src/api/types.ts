// Made by `go test ./internal/web/api -run Types -update` from internal/web/api/api.go, which says what each field means.

/** text, samples from and to, probability in 1/10000, 1 where it was heard only with its odds raised */
export type WordView = [text: string, from: number, to: number, p: number, boosted: number];

export interface Admit {
  id: string;
  person: string;
  role: string;
  replaces: number;
}

export interface Background {
  kind: string;
  level_cb: number;
  line_hz?: number;
}

export interface Carried {
  person: string;
  played: number;
  samples: number;
  distress: number;
  written: number;
}

export interface CaseHead {
  title: string;
  origin: string;
}

export interface CaseView extends CaseHead {
  key: string;
  policy: Policy;
  entries: number;
  recordings: number;
  lines: number;
  states: Record<string, number>;
  samples: number;
  doubtful: number;
  untranslated: number;
  recent: EntryView[];
  carried: Carried[];
}

export interface CutEdit {
  was: Span[];
  now: Span[];
  texts: string[];
  language: string;
}

export interface Decoded {
  channels: number;
  codec: string;
  container: string;
  copy?: string;
  notes?: string[];
  rate: number;
  samples: number;
  truncated?: boolean;
}

export interface Edit {
  id: string;
  utterance?: UtteranceEdit;
  translation?: TranslationEdit;
  cut?: CutEdit;
  stations?: StationsEdit;
  mark?: MarkEdit;
}

export interface EditDone {
  entry: number;
  again: boolean;
  lines: LineView[];
  around: Span;
}

export interface EntryView {
  index: number;
  kind: string;
  author: string;
  person: boolean;
  time: string;
  recording: string;
  span?: Span;
  text: string;
  replaces: number;
  hidden: boolean;
}

export interface Event {
  kind: string;
  entries?: number;
  recording?: string;
  span?: Span;
  people?: Presence[];
}

export interface Facet {
  name: string;
  values: FacetValue[];
}

export interface FacetValue {
  value: string;
  filter: string;
  count: number;
}

export interface Failure {
  entry: number;
  hint?: string;
  kind: string;
  message: string;
  stage: string;
}

export interface HitView {
  recording: string;
  file: string;
  line: LineView;
  matches: Range[];
  excerpt: Range;
}

export interface Hour {
  hour: string;
  count: number;
}

export interface Invitation {
  link: string;
}

export interface JobView {
  recording: string;
  file: string;
  stage: string;
  state: string;
  done: number;
  total: number;
  speed: number;
  message: string;
  hint: string;
}

export interface JobsView {
  running: boolean;
  begun: string;
  ended: string;
  fraction: number;
  left: number;
  jobs: JobView[];
  error: string;
  hint: string;
  needs: string;
}

export interface LineView {
  citation: string;
  span: Span;
  time: string;
  state: string;
  reason: string;
  sound: string;
  snr_db: number;
  lang: string;
  text: string;
  pieces?: Piece[];
  author: string;
  second: string;
  entry: number;
  basis: number;
  rival: string;
  rival_by: string;
  rival_entry: number;
  machine: string;
  model: string;
  words: WordView[];
  from?: Station;
  to?: Station;
  stations: number;
  marks: MarkView[];
  calls: string;
  translation?: TranslationView;
  hidden: boolean;
  played: boolean;
  cut: boolean;
}

export interface LinesView {
  recording: string;
  entries: number;
  lines: LineView[];
}

export interface Login {
  person: string;
  password: string;
}

export interface MarkEdit {
  span: Span;
  mark: string;
  note: string;
  off: boolean;
  replaces: number;
}

export interface MarkView {
  mark: string;
  note: string;
  span: Span;
  by: string;
  entry: number;
}

export interface PersonView {
  person: string;
  role: string;
  may: string[];
  entry: number;
  owner: boolean;
  password: boolean;
}

export interface Piece {
  inaudible_milli?: number;
  rivals?: string[];
  text?: string;
}

export interface Policy {
  embargo_seconds: number;
  intake_delay_seconds: number;
  languages?: string[];
}

export interface Presence {
  person: string;
  recording: string;
  span?: Span;
  writing: boolean;
  you: boolean;
}

export interface Problem {
  kind: string;
  message: string;
  hint: string;
  line?: LineView;
}

export interface Range {
  from: number;
  to: number;
}

export interface RawLayout {
  channels: number;
  format: string;
  rate: number;
}

export interface Reception {
  frequency_hz?: number;
  handed_in_by?: string;
  mode?: string;
  note?: string;
  place?: string;
  raw?: RawLayout;
  receiver?: string;
  source?: string;
  start?: StartTime;
  synthetic?: boolean;
}

export interface Recording {
  recording: string;
  digest: string;
  file: string;
  size: number;
  entry: number;
  reception: Reception;
  decoded?: Decoded;
  detected: boolean;
  background?: Background;
  failures?: Failure[];
  states?: Record<string, number>;
  transmissions: number;
  start?: string;
  listened?: number;
  synthetic?: boolean;
}

export interface RecordingView extends Recording {
  samples: number;
  levels: number;
  drawn: number;
  state: string;
  heard: number;
  of: number;
  reason: string;
  hint: string;
}

export interface RunJobs {
  recordings?: string[];
  retry?: boolean;
  translate?: boolean;
}

export interface SearchView {
  total: number;
  hits: HitView[];
  hours: Hour[];
  hints: string[];
  undated: number;
  facets: Facet[];
}

export interface SessionView {
  person: string;
  role: string;
  may: string[];
  blind: boolean;
  version: string;
  case: CaseHead;
  languages: string[];
}

export interface Span {
  from: number;
  to: number;
}

export interface StartTime {
  basis: string;
  time: string;
  uncertainty_milli?: number;
}

export interface Station {
  basis: string;
  call_sign: string;
}

export interface StationsEdit {
  span: Span;
  from?: Station;
  to?: Station;
  replaces: number;
}

export interface TranslationEdit {
  span: Span;
  text: string;
  language: string;
  of: number;
  replaces: number;
}

export interface TranslationView {
  text: string;
  language: string;
  state: string;
  reason: string;
  author: string;
  entry: number;
  model: string;
}

export interface UtteranceEdit {
  span: Span;
  text: string;
  language: string;
  replaces: number;
}
