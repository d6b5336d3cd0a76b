import { Component, h, type ComponentChild, type FunctionComponent } from 'preact';

/** A component that is drawn anew only when one of its properties has changed. (preact/compat has the same, in a library of its own.) */
export function memo<P extends object>(draw: FunctionComponent<P>): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const names = Object.keys(next) as (keyof P)[];
      return names.some((name) => next[name] !== this.props[name]) || names.length !== Object.keys(this.props).length;
    }
    override render(): ComponentChild {
      return draw(this.props);
    }
  }
  return (props) => h(Memo as never, props);
}
