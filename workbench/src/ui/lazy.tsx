import { signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import { Loading, Trouble } from './trouble';

/** A component whose code is fetched when it is first shown. */
export function lazy<P extends object>(fetch: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  const here = signal<FunctionComponent<P> | null>(null);
  const failed = signal(false);
  return function Lazy(props: P) {
    useEffect(() => {
      if (!here.peek()) fetch().then((c) => (here.value = c), () => (failed.value = true));
    }, []);
    const Shown = here.value;
    if (Shown) return <Shown {...props} />;
    // A newer program has other files: the page as a whole is to be loaded anew.
    return <div class="page">{failed.value ? <Trouble error={null} again={() => location.reload()} /> : <Loading />}</div>;
  };
}
