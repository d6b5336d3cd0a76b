// Whether a person is typing. What opens by itself then would take the keyboard from them in mid-word.

export function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    || (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range', 'file'].includes(target.type));
}

const busy = () => isField(document.activeElement) || document.querySelector('dialog[open]') !== null;

/** Calls f once no field has the focus and no dialog is open, `later` at once if that is not now. Returns how to give up. */
export function whenNotTyping(f: () => unknown, later: () => void): () => void {
  if (!busy()) {
    f();
    return () => undefined;
  }
  later();
  // Looked at again and again, as a field that is taken away while it has the focus tells nobody; twice, as the focus may
  // be on its way from one field to the next.
  let free = 0;
  const id = setInterval(() => {
    free = busy() ? 0 : free + 1;
    if (free < 2) return;
    clearInterval(id);
    f();
  }, 100);
  return () => clearInterval(id);
}
