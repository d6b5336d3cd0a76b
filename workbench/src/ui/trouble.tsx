import { ApiError, OfflineError } from '../api/problem';
import { t } from '../i18n';
import { toast } from './announce';
import { Notice } from './notice';

/** What to tell a person of something that failed: what happened, and what to do. */
export function explain(e: unknown): { text: string; hint: string } {
  if (e instanceof ApiError) return { text: e.problem.message, hint: e.problem.hint };
  if (e instanceof OfflineError) return { text: t.value.common.offline, hint: '' };
  return { text: t.value.common.error, hint: e instanceof Error ? e.message : '' };
}

export function tell(e: unknown): void {
  if (e instanceof DOMException && e.name === 'AbortError') return;
  const { text, hint } = explain(e);
  toast(text, { hint, alarm: true });
}

export function Trouble(props: { error: unknown; again: () => void }) {
  const { text, hint } = explain(props.error);
  return (
    <Notice text={text} alarm>
      {hint && <p>{hint}</p>}
      <button type="button" onClick={props.again}>{t.value.common.again}</button>
    </Notice>
  );
}

export function Loading() {
  return <p class="notice quiet" role="status">{t.value.common.loading}</p>;
}
