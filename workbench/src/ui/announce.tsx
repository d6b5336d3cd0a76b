import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

interface Toast {
  id: number;
  text: string;
  hint: string;
  alarm: boolean;
  stay: boolean;
  action: { label: string; run: () => void } | undefined;
}

const toasts = signal<Toast[]>([]);
const said = signal('');
let last = 0;
const shownFor = 6000;

/** Says something to a screen reader only, such as "Saved. 41 of 400". */
export function announce(text: string): void {
  said.value = text;
}

/** Shows something for some seconds, and says it. What is wrong stays until it is closed, and so does what is asked to. */
export function toast(text: string, o: { hint?: string; alarm?: boolean; stay?: boolean; action?: { label: string; run: () => void } } = {}): void {
  const t: Toast = { id: ++last, text, hint: o.hint ?? '', alarm: o.alarm ?? false, stay: o.stay ?? o.alarm ?? false, action: o.action };
  // What goes by itself gives way to the next.
  toasts.value = [...toasts.value.filter((other) => other.stay && other.text !== text), t].slice(-4);
  announce(t.hint ? `${text} ${t.hint}` : text);
}

function close(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

export function Announcements(props: { close: string }) {
  return (
    <>
      <div class="sr" role="status" aria-live="polite">{said}</div>
      <div class="toasts">{toasts.value.map((t) => <OneToast key={t.id} toast={t} close={props.close} />)}</div>
    </>
  );
}

function OneToast({ toast: t, close: label }: { toast: Toast; close: string }) {
  useEffect(() => {
    if (t.stay) return;
    const id = setTimeout(() => close(t.id), shownFor);
    return () => clearTimeout(id);
  }, [t]);
  return (
    <div class={t.alarm ? 'toast alarm' : 'toast'}>
      <div>
        {t.text}
        {t.hint && <div class="hint">{t.hint}</div>}
      </div>
      {t.action && (
        <button type="button" onClick={() => { close(t.id); t.action?.run(); }}>{t.action.label}</button>
      )}
      <button type="button" class="plain" aria-label={label} onClick={() => close(t.id)}>✕</button>
    </div>
  );
}
