import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { newID, workspace } from '../shell/workspace';
import { toast } from '../ui/announce';
import { Dialog } from '../ui/dialog';
import { editOf, rebase, writtenText, writtenTranslation, type Change } from './change';
import { Side } from './details';
import { diffWords, sideOf } from './diff';
import type { Pending } from './outbox';

/** What to do where another person wrote in between. Nothing is sent or dropped before it is decided. */
export function Merge({ pending, onClose }: { pending: Pending; onClose: () => void }) {
  const c = pending.change;
  return c.kind === 'text' || c.kind === 'translation'
    ? <MergeWords pending={pending} change={c} onClose={onClose} />
    : <MergeOther pending={pending} onClose={onClose} />;
}

type Words = Extract<Change, { kind: 'text' | 'translation' }>;

function MergeWords({ pending, change, onClose }: { pending: Pending; change: Words; onClose: () => void }) {
  const m = t.value.merge;
  const space = workspace.value;
  const theirs = pending.conflict?.theirs ?? null;
  const theirWords = theirs ? (change.kind === 'text' ? theirs.text : theirs.translation?.text ?? '') : '';
  const author = theirs ? (change.kind === 'text' ? theirs.author : theirs.translation?.author ?? '') : '';
  const [joined, setJoined] = useState(change.after);
  const parts = diffWords(theirWords, change.after);
  if (!space) return null;

  const takeMine = (text: string) => {
    if (!theirs) return;
    const before = change.kind === 'text' ? writtenText(theirs) : writtenTranslation(theirs);
    const again: Words = { ...change, before, after: text };
    const edit = editOf(newID(), again, [theirs]);
    if (edit) void space.outbox.settle(pending, edit, again);
    onClose();
  };
  const takeTheirs = () => {
    void space.outbox.drop(pending);
    onClose();
  };
  const keep = () => {
    space.drafts.set(pending.recording, change.span, change.kind, change.after, change.before, 0);
    void space.outbox.drop(pending);
    toast(m.gone, { alarm: true });
    onClose();
  };
  return (
    <Dialog title={m.title} close={t.value.common.close} onClose={onClose} wide>
      <p>{theirs ? m.why : m.gone}</p>
      <div class="merge">
        <section>
          <h3>{m.theirs(author)}</h3>
          <p class="said" lang={change.language} dir="auto">{theirWords ? <Side parts={sideOf(parts, 'left')} /> : m.nothing}</p>
          {theirs && <button type="button" onClick={takeTheirs}>{m.takeTheirs}</button>}
        </section>
        <section>
          <h3>{m.mine}</h3>
          <p class="said" lang={change.language} dir="auto">{change.after ? <Side parts={sideOf(parts, 'right')} /> : m.nothing}</p>
          {theirs ? <button type="button" onClick={() => takeMine(change.after)}>{m.takeMine}</button> : <button type="button" onClick={keep}>{t.value.common.close}</button>}
        </section>
      </div>
      {theirs && (
        <>
          <label class="field">
            <span>{m.joined}</span>
            <textarea rows={3} lang={change.language} dir="auto" value={joined} onInput={(e) => setJoined(e.currentTarget.value)} />
          </label>
          <div class="actions"><button type="button" class="first" onClick={() => takeMine(joined)}>{m.takeJoined}</button></div>
        </>
      )}
    </Dialog>
  );
}

function MergeOther({ pending, onClose }: { pending: Pending; onClose: () => void }) {
  const m = t.value.merge;
  const space = workspace.value;
  const theirs = pending.conflict?.theirs ?? null;
  if (!space) return null;
  const apply = () => {
    if (theirs) void space.outbox.settle(pending, rebase(pending.edit, [theirs]), pending.change);
    onClose();
  };
  const leave = () => {
    void space.outbox.drop(pending);
    onClose();
  };
  return (
    <Dialog title={m.otherTitle} close={t.value.common.close} onClose={onClose}>
      <p>{m.otherWhy}</p>
      {pending.conflict?.message && <p class="quiet">{pending.conflict.message}</p>}
      <div class="actions">
        <button type="button" onClick={leave}>{m.leave}</button>
        {theirs && pending.change.kind !== 'cut' && <button type="button" class="first" onClick={apply}>{m.apply}</button>}
      </div>
    </Dialog>
  );
}
