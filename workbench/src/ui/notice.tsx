import type { ComponentChildren } from 'preact';

/** Says in place of a screen's content why there is none, and what to do. */
export function Notice(props: { text: string; alarm?: boolean; children?: ComponentChildren }) {
  return (
    <div class="notice" role={props.alarm ? 'alert' : undefined}>
      <p class={props.alarm ? 'alert' : undefined}>{props.text}</p>
      {props.children}
    </div>
  );
}
