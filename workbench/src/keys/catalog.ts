import type { Messages } from '../i18n';

export type CommandName = keyof Messages['keys']['names'];
export type Group = keyof Messages['keys']['groups'];

interface Entry {
  group: Group;
  keys: string[];
  /** Also works, or works only, while writing in a field. */
  field?: 'also' | 'only';
  /** Acts only while the list of transmissions has the focus: elsewhere the key is the browser's. */
  row?: true;
}

/** Every command with the keys it has unless a person binds others. The order is that of the help. */
export const catalog: Record<CommandName, Entry> = {
  find: { group: 'everywhere', keys: ['Ctrl+k'], field: 'also' },
  help: { group: 'everywhere', keys: ['?'] },
  settings: { group: 'everywhere', keys: ['g ,'] },
  goHome: { group: 'everywhere', keys: ['g h'] },
  goRecordings: { group: 'everywhere', keys: ['g r'] },
  goSearch: { group: 'everywhere', keys: ['g s', '/'] },
  goDoubts: { group: 'everywhere', keys: ['g d'] },
  goJobs: { group: 'everywhere', keys: ['g j'] },
  goPeople: { group: 'everywhere', keys: ['g p'] },
  undo: { group: 'everywhere', keys: ['Ctrl+z'] },
  redo: { group: 'everywhere', keys: ['Ctrl+Shift+z'] },
  back: { group: 'everywhere', keys: ['['] },
  forward: { group: 'everywhere', keys: [']'] },
  region: { group: 'everywhere', keys: ['F6'], field: 'also' },
  leave: { group: 'everywhere', keys: ['Escape'] },
  theme: { group: 'everywhere', keys: ['g t'] },
  play: { group: 'listening', keys: ['Space', 'F4', 'MediaPlayPause'] },
  playOn: { group: 'listening', keys: ['p'] },
  replay: { group: 'listening', keys: ['Tab'], row: true },
  replaySlow: { group: 'listening', keys: ['Shift+Tab'], row: true },
  next: { group: 'listening', keys: ['j', 'ArrowDown'] },
  previous: { group: 'listening', keys: ['k', 'ArrowUp'] },
  first: { group: 'listening', keys: ['Home'], row: true },
  last: { group: 'listening', keys: ['End'], row: true },
  pageDown: { group: 'listening', keys: ['PageDown'], row: true },
  pageUp: { group: 'listening', keys: ['PageUp'], row: true },
  nextUnread: { group: 'listening', keys: ['Shift+j'] },
  nextDoubt: { group: 'listening', keys: ['n'] },
  doubtMarks: { group: 'listening', keys: ['Shift+n'] },
  nextFailed: { group: 'listening', keys: ['Shift+u'] },
  secondBack: { group: 'listening', keys: [',', 'F1'] },
  secondOn: { group: 'listening', keys: ['.', 'F2'] },
  slower: { group: 'listening', keys: ['<'] },
  faster: { group: 'listening', keys: ['>'] },
  loop: { group: 'listening', keys: ['l'] },
  autoplay: { group: 'listening', keys: ['a'] },
  before: { group: 'listening', keys: ['Alt+ArrowLeft'], field: 'also' },
  after: { group: 'listening', keys: ['Alt+ArrowRight'], field: 'also' },
  open: { group: 'rows', keys: ['Enter'], row: true },
  openTranslation: { group: 'rows', keys: ['e'] },
  speaker: { group: 'rows', keys: ['s'] },
  addressee: { group: 'rows', keys: ['o'] },
  markReturn: { group: 'rows', keys: ['x'] },
  markDistress: { group: 'rows', keys: ['!'] },
  difference: { group: 'rows', keys: ['d'] },
  details: { group: 'rows', keys: ['i'] },
  copy: { group: 'rows', keys: ['y'] },
  zoomIn: { group: 'sound', keys: ['+', '='] },
  zoomOut: { group: 'sound', keys: ['-'] },
  whole: { group: 'sound', keys: ['0'] },
  fit: { group: 'sound', keys: ['f'] },
  gainUp: { group: 'sound', keys: ['}'] },
  gainDown: { group: 'sound', keys: ['{'] },
  setStart: { group: 'sound', keys: ['b'] },
  setEnd: { group: 'sound', keys: ['Shift+b'] },
  split: { group: 'sound', keys: ['h', 'Ctrl+h'], field: 'also' },
  join: { group: 'sound', keys: ['m'] },
  selectFrom: { group: 'sound', keys: ['t'] },
  selectTo: { group: 'sound', keys: ['Shift+t'] },
  cutNew: { group: 'sound', keys: ['Shift+m'] },
  editSave: { group: 'text', keys: ['Enter'], field: 'only' },
  editStay: { group: 'text', keys: ['Ctrl+Enter'], field: 'only' },
  editNewLine: { group: 'text', keys: ['Shift+Enter'], field: 'only' },
  editLeave: { group: 'text', keys: ['Escape'], field: 'only' },
  editSwitch: { group: 'text', keys: ['Tab'], field: 'only' },
  editPlay: { group: 'text', keys: ['Ctrl+Space'], field: 'only' },
  editBack: { group: 'text', keys: ['Ctrl+,'], field: 'only' },
  editUp: { group: 'text', keys: ['Alt+ArrowUp'], field: 'only' },
  editDown: { group: 'text', keys: ['Alt+ArrowDown'], field: 'only' },
  editInaudible: { group: 'text', keys: ['Ctrl+i'], field: 'only' },
  editRival: { group: 'text', keys: ['Ctrl+/'], field: 'only' },
};

export const commandNames = Object.keys(catalog) as CommandName[];
