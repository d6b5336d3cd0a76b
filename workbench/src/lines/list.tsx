import { useComputed } from '@preact/signals';
import { memo } from '../ui/memo';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { LineView } from '../api/types';
import { languageName, t } from '../i18n';
import type { RecordingStore } from '../recording/store';
import { shortClock } from '../sound/time';
import { Icon } from '../ui/icons';
import { density } from '../ui/theme';
import { VirtualRows, type RowPlace } from '../ui/virtual';
import { hasMark } from './change';
import { threshold } from './doubt';
import { LineEditor } from './editor';
import type { Field } from './drafts';
import { lineID } from './order';
import { Said } from './said';
import { target } from './target';
import { LineState, TranslationState } from './state';
import { From } from './station';
import { plain } from './text';

const head = 32; // of the row of names, which stays at the top

interface Props {
  store: RecordingStore;
  onOpen: (line: LineView, field: Field) => void;
}

/** The transmissions of a recording. */
export function LineList({ store, onOpen }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const lines = store.lines.value;
  const active = store.active.value;
  const writing = store.writing.value;
  const drafts = store.space.drafts.all.value;
  const m = t.value.line;
  const language = useComputed(() => languageName(store.lines.value.find((l) => l.lang)?.lang ?? ''));

  // The focus follows the line one is on, unless it is somewhere else for a reason.
  useLayoutEffect(() => {
    if (writing) return;
    const g = grid.current;
    const focused = document.activeElement;
    // The page itself has it after one has come here from another screen.
    const free = focused === null || focused === document.body || focused.id === 'content';
    if (g && (free || g.contains(focused))) {
      g.querySelector<HTMLElement>('[role=row][tabindex="0"]')?.focus({ preventScroll: true });
    }
  }, [active, writing, lines.length === 0, store.reveal.value, store.asking.value === null]);

  const select = useMemo(() => (l: LineView) => {
    if (store.active.peek() !== lineID(l.span)) store.goTo(l);
  }, [store]);

  return (
    <div ref={grid} class="list" role="grid" aria-label={m.list} aria-rowcount={lines.length + 1} aria-colcount={5} data-region>
      <div class="line-row names" role="row" aria-rowindex={1}>
        <span role="columnheader">{m.time}</span>
        <span role="columnheader">{m.stations}</span>
        <span role="columnheader">{m.original}{language.value && ` (${language.value})`}</span>
        <span role="columnheader">{m.translation} ({languageName(target.value)})</span>
        <span role="columnheader">{m.state}</span>
      </div>
      <VirtualRows items={lines} keyOf={(l) => lineID(l.span)} keep={[active]} estimate={density.value === 'dense' ? 34 : 44} head={head} reveal={store.reveal.value}>
        {(l, i, place) => {
          const id = lineID(l.span);
          const isActive = id === active;
          return (
            <Row
              key={id} line={l} index={i} place={place.ref} at={place.style.transform} active={isActive} store={store} onSelect={select} onOpen={onOpen}
              field={isActive ? writing : null} unsaved={drafts.size > 0 && store.space.drafts.has(store.id, l.span)} doubts={store.doubtMarks.value ? threshold.value : 0}
              who={store.people.value.filter((p) => p.span && lineID(p.span) === id).map((p) => (p.writing ? m.writing(plain(p.person)) : m.looking(plain(p.person)))).join(', ')}
            />
          );
        }}
      </VirtualRows>
    </div>
  );
}

interface RowProps {
  line: LineView;
  index: number;
  place: RowPlace['ref'];
  at: string;
  active: boolean;
  store: RecordingStore;
  onSelect: (l: LineView) => void;
  onOpen: (l: LineView, field: Field) => void;
  field: Field | null;
  unsaved: boolean;
  doubts: number; // the threshold, 0 where no marks are wanted
  who: string;
}

// Nine of ten rows stay as they are when one moves: they are not drawn anew.
const Row = memo(function Row({ line: l, index, place, at, active, store, onSelect, onOpen, field, unsaved, doubts, who }: RowProps) {
  const m = t.value.line;
  const open = (f: Field) => () => active && !field && !getSelection()?.toString() && onOpen(l, f);
  return (
    <div
      ref={place} style={{ transform: at }} role="row" aria-rowindex={index + 2} aria-selected={active} tabIndex={active ? 0 : -1}
      class={`line-row${active ? ' active' : ''}${field ? ' writing' : ''}`} onClick={() => onSelect(l)} onDblClick={() => !field && onOpen(l, 'text')}
    >
      <span role="gridcell" class="cell-time"><time title={l.time || undefined}>{shortClock(l.span.from)}</time></span>
      <span role="gridcell" class="cell-stations"><From line={l} /></span>
      {field
        ? <LineEditor store={store} line={l} field={field} />
        : (
          <>
            <span role="gridcell" class="cell-text" onClick={open('text')}><Original line={l} doubts={doubts} active={active} /></span>
            <span role="gridcell" class={l.translation?.state === 'stale' ? 'cell-translation stale' : 'cell-translation'} onClick={open('translation')}>
              {l.translation && l.translation.text && <Said text={l.translation.text} lang={l.translation.language} machine={l.translation.author === ''} />}
            </span>
          </>
        )}
      <span role="gridcell" class="cell-state">
        <LineState line={l} />
        {l.translation && (l.translation.state === 'stale' || l.translation.author !== '') && <TranslationState translation={l.translation} />}
        {hasMark(l, 'distress') && <span class="state doubt"><Icon name="distress" /> {m.distress}</span>}
        {hasMark(l, 'return') && <span class="state"><Icon name="return" /> {m.return}</span>}
        {unsaved && <span class="state doubt"><Icon name="draft" /> {m.unsaved}</span>}
        {who && <span class="state machine">{who}</span>}
      </span>
    </div>
  );
});

function Original({ line: l, doubts, active }: { line: LineView; doubts: number; active: boolean }) {
  const m = t.value.line;
  if (l.hidden && l.sound === 'speech') return active ? <span class="quiet">{m.hidden}</span> : null;
  if (l.text === '') return <span class="quiet">{l.sound !== 'speech' ? (m.sounds[l.sound] ?? plain(l.sound)) : l.reason ? plain(l.reason) : l.state === 'waiting' ? '' : m.noWords}{l.calls && ` · ${plain(l.calls)}`}</span>;
  return (
    <>
      <Said text={l.text} lang={l.lang} machine={l.author === ''} words={doubts && l.author === '' ? l.words : undefined} below={doubts} />
      {l.rival && <div class="rival"><span class="quiet">{m.rival(plain(l.rival_by || l.second))}: </span><Said text={l.rival} lang={l.lang} /></div>}
    </>
  );
}
