import type { Problem } from './types';

/** An answer that is not the one asked for, in the server's own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.message);
  }
}

/** No answer came: the server is gone, or the way to it. Whether it did what was asked is not known. */
export class OfflineError extends Error {}

export function isConflict(e: unknown): e is ApiError {
  return e instanceof ApiError && e.status === 409;
}

/** Whether the same request may succeed later without anybody changing it. */
export function isPassing(e: unknown): boolean {
  return e instanceof OfflineError || (e instanceof ApiError && (e.status >= 500 || e.status === 429));
}

/** Reads the answer's Problem; an answer in another form (a proxy's page) becomes one. */
export async function problemOf(answer: Response): Promise<Problem> {
  try {
    const body: unknown = await answer.json();
    if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string') {
      return { kind: 'internal', hint: '', ...body, message: body.message };
    }
  } catch {
    // Not JSON: told below by its status.
  }
  return { kind: 'internal', message: `${answer.status} ${answer.statusText}`.trim(), hint: '' };
}
