// One recording as it is worked on: its lines as the case has them, what is written and still on its way, and where one is.

import { batch, computed, effect, signal } from '@preact/signals';
import * as api from '../api/client';
import { onEvent } from '../api/events';
import type { LineView, Presence, RecordingView, Span } from '../api/types';
import { number, t } from '../i18n';
import { editOf, writtenText, writtenTranslation, type Change } from '../lines/change';
import { doubtfulWords, threshold } from '../lines/doubt';
import type { Field } from '../lines/drafts';
import { isUnread, lineID, nextFitting, replaceAround } from '../lines/order';
import { overlay } from '../lines/overlay';
import { target } from '../lines/target';
import { newID, onDone, type Workspace } from '../shell/workspace';
import { overlaps } from '../sound/time';
import { announce, toast } from '../ui/announce';
import { Scope, settled, spaced } from '../ui/scope';
import { tell } from '../ui/trouble';

export type Panel = 'details' | 'difference' | null;
export type Asking = 'from' | 'to' | 'distress' | null;

export class RecordingStore {
  readonly recording = signal<RecordingView | null>(null);
  readonly error = signal<unknown>(null);
  readonly loaded = signal(false);
  readonly lines = computed<LineView[]>(() => this.withPending());
  readonly samples = computed(() => this.recording.value?.samples ?? 0);

  /** The line one is on, by name. */
  readonly active = signal('');
  readonly index = computed(() => this.lines.value.findIndex((l) => lineID(l.span) === this.active.value));
  readonly line = computed<LineView | null>(() => this.lines.value[this.index.value] ?? null);
  /** Counts up whenever the active line is to be brought into view. */
  readonly reveal = signal(0);
  readonly writing = signal<Field | null>(null);
  readonly selection = signal<Span | null>(null);
  readonly doubtMarks = signal(false);
  readonly panel = signal<Panel>(null);
  readonly asking = signal<Asking>(null);
  readonly people = signal<Presence[]>([]);

  private readonly server = signal<LineView[]>([]);
  private entries = 0; // of the log, when the lines were last heard of
  private asked = 0; // counts what was asked for: the answer to an older question is not taken
  private stale: { span: Span; entries: number }[] = []; // seconds that were written in, and the length of the log by then
  private readonly own = new Map<number, Span>(); // lengths of the log after edits of this page, and where they were
  private readonly scope = new Scope();

  constructor(
    readonly id: string,
    readonly space: Workspace,
    private readonly first: Span | null,
  ) {
    const again = spaced(300, () => void this.load());
    this.scope.own(() => again.cancel());
    const refresh = spaced(300, () => void this.refresh());
    this.scope.own(() => refresh.cancel());
    const progress = spaced(1000, () => void api.recording(id).then((r) => (this.recording.value = r), () => undefined)); // tried again at the next event
    this.scope.own(() => progress.cancel());
    this.scope.own(onEvent((e) => {
      if (e.kind === 'again') again();
      if (e.kind === 'entries' && e.recording === id) {
        if (!e.span) {
          again();
        } else {
          this.stale.push({ span: e.span, entries: e.entries ?? 0 });
          refresh();
        }
      }
      if (e.kind === 'jobs' && (this.recording.peek()?.drawn ?? 0) < this.samples.peek()) progress();
      if (e.kind === 'presence') this.people.value = (e.people ?? []).filter((p) => p.recording === id && !p.you);
    }));
    this.scope.own(target.subscribe(() => this.loaded.peek() && again()));
    this.scope.own(onDone((recording, d, e) => {
      if (recording !== id) return;
      const length = d.entry + 1 + (e.cut?.texts.filter((text) => text !== '').length ?? 0);
      this.entries = Math.max(this.entries, length);
      this.own.set(length, d.around);
      if (e.translation && e.translation.language !== target.peek()) return; // the answer's translations are not those shown
      this.put(d.around, d.lines);
    }));
    // A line that was cut away leaves one on what took its place.
    this.scope.own(effect(() => {
      const lines = this.lines.value;
      const at = this.active.peek();
      if (at === '' || lines.length === 0 || lines.some((l) => lineID(l.span) === at)) return;
      const [from, to] = at.split('-').map(Number);
      const heir = lines.find((l) => overlaps(l.span, { from: from ?? 0, to: to ?? 0 })) ?? lines[0];
      if (heir) this.active.value = lineID(heir.span);
    }));
    const look = settled(800, () => this.tellPresence());
    this.scope.own(effect(() => {
      void this.active.value;
      void this.writing.value;
      look();
    }));
    this.scope.own(() => look.cancel());
  }

  async load(): Promise<void> {
    const mine = ++this.asked;
    this.stale = [];
    try {
      const [recording, view] = await Promise.all([api.recording(this.id), api.lines(this.id, target.peek())]);
      if (mine !== this.asked) return;
      // An edit of this page has arrived while they were on their way: they may be without it.
      if (view.entries < this.entries) {
        await this.load();
        return;
      }
      batch(() => {
        this.recording.value = recording;
        this.server.value = view.lines;
        this.entries = view.entries;
        this.error.value = null;
        this.loaded.value = true;
        if (this.active.peek() === '') this.land();
      });
    } catch (e) {
      if (mine === this.asked) this.error.value = e;
    }
  }

  // Fetches only the seconds that somebody wrote in. What this page wrote is in its lines by the answer.
  private async refresh(): Promise<void> {
    if (!this.loaded.peek()) return;
    const spans = joined(this.stale.filter((s) => !isWithin(s.span, this.own.get(s.entries))).map((s) => s.span));
    this.stale = [];
    if (spans.length === 0) return;
    if (spans.length > most) {
      await this.load();
      return;
    }
    const asked = this.asked;
    try {
      for (const s of spans) {
        const view = await api.linesIn(this.id, target.peek(), s);
        if (asked !== this.asked) return; // all of them come meanwhile
        if (view.entries < this.entries) this.stale.push({ span: s, entries: 0 });
        else this.put(s, view.lines);
      }
    } catch (e) {
      this.error.value = e;
    }
    if (this.stale.length > 0) await this.refresh();
  }

  private put(around: Span, fresh: LineView[]): void {
    batch(() => {
      this.server.value = replaceAround(this.server.peek(), around, fresh);
      const r = this.recording.peek();
      if (r) this.recording.value = { ...r, heard: this.server.peek().filter((l) => l.author !== '').length };
    });
  }

  end(): void {
    this.scope.end();
  }

  // Where the address says, else at the first line that nobody has read.
  private land(): void {
    const lines = this.lines.value;
    const at = this.first;
    const wanted = at
      ? lines.find((l) => lineID(l.span) === lineID(at)) ?? lines.find((l) => overlaps(l.span, { from: at.from, to: Math.max(at.to, at.from + 1) })) ?? lines.find((l) => l.span.from >= at.from) ?? lines.at(-1)
      : lines.find(isUnread);
    const line = wanted ?? lines[0];
    if (line) this.goTo(line);
  }

  private withPending(): LineView[] {
    let lines = this.server.value;
    const mine = this.space.outbox.pending.value.filter((p) => p.recording === this.id && !p.conflict);
    // A translation into another language than the one shown is on its way unseen.
    for (const p of mine) if (!p.edit.translation || p.edit.translation.language === target.value) lines = overlay(lines, p.edit, this.space.session.person);
    return lines;
  }

  private tellPresence(): void {
    const line = this.line.peek();
    if (api.sessionOver.peek()) return;
    // Who cannot be told that one is here is told at the next move.
    api.presence({ recording: this.id, writing: this.writing.peek() !== null, ...(line ? { span: line.span } : {}) }).catch(() => undefined);
  }

  goTo(line: LineView): void {
    batch(() => {
      this.active.value = lineID(line.span);
      this.reveal.value++;
    });
  }

  /** Goes so many lines on; false at an end. */
  step(by: number): boolean {
    const lines = this.lines.value;
    const to = Math.max(0, Math.min(lines.length - 1, this.index.value + by));
    const line = lines[to];
    if (!line || to === this.index.value) {
      announce(by < 0 ? t.value.edit.first : t.value.edit.last);
      return false;
    }
    this.goTo(line);
    return true;
  }

  goNext(fits: (l: LineView) => boolean, none: string): boolean {
    const at = nextFitting(this.lines.value, this.index.value, fits);
    const line = this.lines.value[at];
    if (!line) {
      toast(none);
      return false;
    }
    this.goTo(line);
    return true;
  }

  isDoubtful = (l: LineView) => doubtfulWords(l, threshold.value) > 0;

  /** Makes a change; false where the lines are no longer what it changes. */
  change(c: Change, record = true): boolean {
    if (!this.mayWrite(c.kind)) return false;
    const other = c.kind === 'translation' && c.language !== target.peek(); // what is there in that language is not known
    const edit = other ? null : editOf(newID(), c, this.lines.value);
    if (!edit) {
      toast(t.value.undo.changed, { alarm: true });
      return false;
    }
    void this.space.outbox.add(this.id, edit, c);
    if (record) this.space.undo.push(this.id, c);
    return true;
  }

  /** Whether this person may; says so where they may not. */
  mayWrite(kind: Change['kind']): boolean {
    if (this.space.may(kind === 'translation' ? 'translate' : 'write')) return true;
    toast(t.value.edit.notAllowed, { alarm: true });
    return false;
  }

  undo(): void {
    const done = this.space.undo.undo(this.id, (c) => this.change(c, false));
    toast(done ? t.value.undo.undone(t.value.undo[done.kind]) : t.value.undo.nothing);
  }

  redo(): void {
    const done = this.space.undo.redo(this.id, (c) => this.change(c, false));
    toast(done ? t.value.undo.redone(t.value.undo[done.kind]) : t.value.undo.nothingRedo);
  }

  /** The words in a field: the draft, or what counts. */
  wordsIn(line: LineView, field: Field): string {
    return this.space.drafts.get(this.id, line.span, field)?.text ?? shownIn(line, field);
  }

  /** Whether the words in a field are others by now than those that its draft began with. */
  changedSince(line: LineView, field: Field): boolean {
    const draft = this.space.drafts.get(this.id, line.span, field);
    return draft !== undefined && draft.began !== shownIn(line, field);
  }

  type(line: LineView, field: Field, text: string): void {
    const entry = field === 'text' ? line.entry : line.translation?.entry ?? 0;
    this.space.drafts.set(this.id, line.span, field, text, shownIn(line, field), entry);
  }

  /** Takes a draft back: what counts is shown again. */
  discard(line: LineView): void {
    this.space.drafts.remove(this.id, line.span, 'text');
    this.space.drafts.remove(this.id, line.span, 'translation');
  }

  /** Saves what is written in a line. Saving the machine's words as they are states that a person hears them so. */
  async save(line: LineView, field: Field): Promise<void> {
    const vouches = field === 'text' && line.author === '' && line.text !== '' && this.space.may('write');
    await this.saveField(line, 'text', vouches);
    const now = this.lines.value.find((l) => lineID(l.span) === lineID(line.span)) ?? line;
    await this.saveField(now, 'translation', false);
    const r = this.recording.value;
    if (r) announce(t.value.edit.saved(number(this.lines.value.filter((l) => l.author !== '').length), number(r.of)));
  }

  private async saveField(line: LineView, field: Field, vouches: boolean): Promise<void> {
    const { drafts, outbox, undo } = this.space;
    const draft = drafts.get(this.id, line.span, field);
    const after = (draft?.text ?? shownIn(line, field)).trim();
    const before = field === 'text' ? writtenText(line) : writtenTranslation(line);
    if ((!draft && !vouches) || after === before) {
      drafts.remove(this.id, line.span, field);
      return;
    }
    if (!this.mayWrite(field)) return;
    if (field === 'translation' && line.basis === 0 && line.entry === 0 && line.author === '') {
      toast(t.value.edit.noBasis, { alarm: true });
      return;
    }
    const language = field === 'text' ? line.lang : target.value;
    const change: Change = { kind: field, span: line.span, before, after, language };
    const edit = editOf(newID(), change, this.lines.value);
    if (!edit) return;
    // Somebody wrote here after this person began: the server is told what they had before them, and says so.
    const at = field === 'text' ? line.entry : line.translation?.entry ?? 0;
    if (draft && this.changedSince(line, field) && !outbox.isOwn(this.id, at)) {
      if (edit.utterance) edit.utterance.replaces = draft.entry;
      if (edit.translation) edit.translation.replaces = draft.entry;
    }
    await outbox.add(this.id, edit, change);
    undo.push(this.id, change);
    drafts.remove(this.id, line.span, field);
  }

  /** Says that this person has played a line from end to end. */
  played(line: LineView): void {
    this.patch(line, { ...line, played: true });
    api.played(this.id, line.span, target.peek()).then((fresh) => this.patch(line, fresh), (e: unknown) => {
      this.patch(line, { ...line, played: false });
      tell(e);
    });
  }

  private patch(line: LineView, fresh: LineView): void {
    this.server.value = this.server.peek().map((l) => (lineID(l.span) === lineID(line.span) ? fresh : l));
  }
}

const most = 8; // stretches that are fetched one by one

const isWithin = (s: Span, around: Span | undefined) => around !== undefined && s.from >= around.from && s.to <= around.to;

function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const s of [...spans].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && s.from <= last.to) last.to = Math.max(last.to, s.to);
    else out.push({ ...s });
  }
  return out;
}

function shownIn(line: LineView, field: Field): string {
  return field === 'text' ? line.text : line.translation?.text ?? '';
}
