import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import * as api from '../api/client';
import { percent, t } from '../i18n';
import { plain } from '../lines/text';
import type { Workspace } from '../shell/workspace';
import { toast } from '../ui/announce';
import { explain } from '../ui/trouble';

interface Taking {
  id: number;
  name: string;
  fraction: number;
}

let last = 0;

/** Takes files in, chosen or dropped anywhere on what it holds. One after the other: the case writes one at a time anyway. */
export function Intake({ space, children, onTaken }: { space: Workspace; children: ComponentChildren; onTaken?: () => void }) {
  const m = t.value.recordings;
  const taking = useSignal<Taking[]>([]);
  const over = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const abort = useRef(new AbortController());
  useEffect(() => () => abort.current.abort(), []);

  const take = async (files: File[]) => {
    if (!space.may('add')) {
      toast(m.notAllowed, { alarm: true });
      return;
    }
    const list = files.map((file) => ({ file, id: ++last }));
    taking.value = [...taking.value, ...list.map(({ file, id }) => ({ id, name: file.name, fraction: 0 }))];
    for (const { file, id } of list) {
      try {
        const r = await api.upload(file, (fraction) => (taking.value = taking.value.map((k) => (k.id === id ? { ...k, fraction } : k))), abort.current.signal);
        toast(`${plain(file.name)}: ${m.taken(r.recording)}`);
        onTaken?.();
      } catch (e) {
        if (abort.current.signal.aborted) return;
        const { text, hint } = explain(e);
        toast(`${m.refused(plain(file.name))} ${text}`, { hint, alarm: true });
      } finally {
        taking.value = taking.value.filter((k) => k.id !== id);
      }
    }
  };
  const isFiles = (e: DragEvent) => e.dataTransfer?.types.includes('Files') ?? false;
  return (
    <div
      class={over.value ? 'intake over' : 'intake'}
      onDragOver={(e) => { if (isFiles(e)) { e.preventDefault(); over.value = true; } }}
      onDragLeave={(e) => { if (!(e.relatedTarget instanceof Node) || !e.currentTarget.contains(e.relatedTarget)) over.value = false; }}
      onDrop={(e) => { e.preventDefault(); over.value = false; void take([...(e.dataTransfer?.files ?? [])]); }}
    >
      {children}
      {over.value && <p class="drop-hint" role="status">{m.drop}</p>}
      {space.may('add') && <p>
        <button type="button" onClick={() => input.current?.click()}>{m.choose}</button>
        <input ref={input} type="file" multiple hidden onChange={(e) => { void take([...(e.currentTarget.files ?? [])]); e.currentTarget.value = ''; }} />
      </p>}
      {taking.value.map((k) => (
        <div key={k.id} class="taking">
          <span dir="auto">{m.taking} {plain(k.name)} <span class="mono">{percent(k.fraction)}</span></span>
          <progress max={1} value={k.fraction} aria-label={plain(k.name)} />
        </div>
      ))}
    </div>
  );
}
