import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { LineView } from '../api/types';
import { t } from '../i18n';
import type { RecordingStore } from '../recording/store';
import { announce } from '../ui/announce';
import type { Field } from './drafts';
import { target } from './target';
import { plain } from './text';

/** The two fields of a line being written. What is typed is a draft until it is saved; leaving keeps it. */
export function LineEditor({ store, line, field }: { store: RecordingStore; line: LineView; field: Field }) {
  useEffect(() => announce(t.value.edit.hint), []);
  const m = t.value.edit;
  const machine = t.value.line.states['draft'] ?? '';
  return (
    <>
      <span role="gridcell" class="cell-text">
        <OneField store={store} line={line} field="text" label={m.original} lang={line.lang} focused={field === 'text'} />
        {store.changedSince(line, 'text') && <p class="meanwhile" role="status">{m.meanwhile(plain(line.author) || machine)}</p>}
      </span>
      <span role="gridcell" class="cell-translation">
        <OneField store={store} line={line} field="translation" label={m.translation} lang={target.value} focused={field === 'translation'} />
        {store.changedSince(line, 'translation') && <p class="meanwhile" role="status">{m.meanwhile(plain(line.translation?.author ?? '') || machine)}</p>}
        {store.space.drafts.has(store.id, line.span) && <button type="button" class="plain" tabIndex={-1} onClick={() => store.discard(line)}>{m.discard}</button>}
      </span>
    </>
  );
}

interface FieldProps {
  store: RecordingStore;
  line: LineView;
  field: Field;
  label: string;
  lang: string;
  focused: boolean;
}

function OneField({ store, line, field, label, lang, focused }: FieldProps) {
  const ref = useRef<HTMLTextAreaElement>(null);
  const value = store.wordsIn(line, field);
  useLayoutEffect(() => {
    const e = ref.current;
    if (!e) return;
    e.style.height = 'auto';
    e.style.height = `${e.scrollHeight + 2}px`;
  }, [value]);
  // Before the next key arrives: one that is typed right after Tab or Enter belongs to this field.
  useLayoutEffect(() => {
    const e = ref.current;
    if (!focused || !e || document.activeElement === e) return;
    e.focus();
    e.setSelectionRange(e.value.length, e.value.length);
  }, [focused]);
  return (
    <textarea
      ref={ref} rows={1} value={value} lang={lang || undefined} dir="auto" aria-label={label} spellcheck={field === 'translation'} data-field={field}
      onInput={(e) => store.type(line, field, e.currentTarget.value)} onFocus={() => (store.writing.value = field)}
    />
  );
}

/** Puts text into the field that has the focus, as if it had been typed, so that the browser's own undo takes it back. */
export function typeInto(e: HTMLTextAreaElement, typed: { text: string; from: number; to: number }): void {
  e.select();
  // The one call that keeps the field's history; it is obsolete in name only. Where it is refused, the history is lost, not the text.
  if (!document.execCommand('insertText', false, typed.text)) {
    e.value = typed.text;
    e.dispatchEvent(new Event('input', { bubbles: true }));
  }
  e.setSelectionRange(typed.from, typed.to);
}
