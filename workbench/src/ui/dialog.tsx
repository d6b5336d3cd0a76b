import type { ComponentChildren } from 'preact';
import { useEffect, useId, useMemo, useRef } from 'preact/hooks';

interface Props {
  title: string;
  close: string; // the name of the button that does so
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

// Where the focus was before the first of several dialogs that follow one another.
let origin: HTMLElement[] = [];

function withParents(e: Element | null): HTMLElement[] {
  const all: HTMLElement[] = [];
  for (let at = e; at && at !== document.body; at = at.parentElement) if (at instanceof HTMLElement) all.push(at);
  return all;
}

/** A modal dialog while it is mounted. The browser keeps the focus in it; afterwards it is where it was. */
export function Dialog({ title, close, onClose, children, wide }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const before = useMemo(() => (origin = document.activeElement?.closest('dialog') ? origin : withParents(document.activeElement)), []);
  useEffect(() => {
    const d = ref.current;
    d?.showModal();
    return () => {
      d?.close();
      // The browser gives the focus back to what it was on at showModal, which may be a field of the dialog itself.
      queueMicrotask(() => {
        if (document.querySelector('dialog[open]')) return;
        // Where it was on is gone by now, what that was in.
        for (const e of before) {
          if (e.isConnected) e.focus({ preventScroll: true });
          if (document.activeElement === e) return;
        }
        // A button that is gone with what it asked for: the row one is on, else the screen.
        const home = document.querySelector<HTMLElement>('[role=row][tabindex="0"]') ?? document.getElementById('content');
        home?.focus({ preventScroll: true });
      });
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault(); // it closes by being unmounted
        onClose();
      }}
      onPointerDown={(e) => e.target === ref.current && onClose()}
    >
      <div class="sheet">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="plain" aria-label={close} onClick={onClose}>✕</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
