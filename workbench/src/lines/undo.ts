import { signal } from '@preact/signals';
import { inverse, type Change } from './change';

interface Step {
  recording: string;
  change: Change;
}

const most = 200;

/** What can be undone and done again. Nothing is taken out of the case: an undo is a change of its own. */
export class UndoStack {
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  private done: Step[] = [];
  private undone: Step[] = [];

  push(recording: string, change: Change): void {
    this.done = [...this.done, { recording, change }].slice(-most);
    this.undone = [];
    this.tell();
  }

  /** Takes the last step that `make` can turn round; one that others have changed since is passed over once, and said. */
  undo(recording: string, make: (c: Change) => boolean): Change | null {
    const step = this.last(this.done, recording);
    if (!step) return null;
    this.done = this.done.filter((s) => s !== step);
    if (make(inverse(step.change))) this.undone = [...this.undone, step];
    this.tell();
    return step.change;
  }

  redo(recording: string, make: (c: Change) => boolean): Change | null {
    const step = this.last(this.undone, recording);
    if (!step) return null;
    this.undone = this.undone.filter((s) => s !== step);
    if (make(step.change)) this.done = [...this.done, step];
    this.tell();
    return step.change;
  }

  // Only what is on the screen is undone: a change that nobody sees is none to make.
  private last(list: Step[], recording: string): Step | undefined {
    return list.findLast((s) => s.recording === recording);
  }

  private tell(): void {
    this.canUndo.value = this.done.length > 0;
    this.canRedo.value = this.undone.length > 0;
  }
}
