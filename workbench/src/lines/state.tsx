import type { LineView, TranslationView } from '../api/types';
import { t } from '../i18n';
import { Icon, type IconName } from '../ui/icons';

interface Look {
  icon: IconName;
  tone: '' | 'machine' | 'verified' | 'doubt' | 'failed';
}

const looks: Record<string, Look> = {
  draft: { icon: 'machine', tone: 'machine' },
  corrected: { icon: 'corrected', tone: '' },
  verified: { icon: 'verified', tone: 'verified' },
  disputed: { icon: 'contested', tone: 'doubt' },
  'not understood': { icon: 'contested', tone: 'doubt' },
  'no speech': { icon: 'silent', tone: '' },
  'no words': { icon: 'silent', tone: '' },
  'not translated': { icon: 'silent', tone: '' },
  translated: { icon: 'corrected', tone: '' },
  stale: { icon: 'stale', tone: 'doubt' },
  hidden: { icon: 'silent', tone: '' },
  waiting: { icon: 'waiting', tone: '' },
  failed: { icon: 'failed', tone: 'failed' },
};

// A state of a newer server is shown by its own word.
const plainLook: Look = { icon: 'silent', tone: '' };

/** Initials of a person, as marks carry them: "Maria Koval" is MK. */
export function initials(name: string): string {
  const parts = name.trim().split(/[\s._-]+/).filter(Boolean);
  const letters = parts.length > 1 ? parts.slice(0, 3).map((p) => [...p][0] ?? '') : [...(parts[0] ?? '')].slice(0, 3);
  return parts.length > 1 ? letters.join('').toUpperCase() : letters.join('');
}

export function StateMark({ state, word, people }: { state: string; word: string; people?: string }) {
  const look = looks[state] ?? plainLook;
  return (
    <span class={`state ${look.tone}`}>
      <Icon name={look.icon} /> {word}{people ? ` ${people}` : ''}
    </span>
  );
}

export function LineState({ line }: { line: LineView }) {
  const who = [line.author, line.second].filter(Boolean).map(initials).join(' ');
  return <StateMark state={line.state} word={t.value.line.states[line.state] ?? line.state} people={who} />;
}

export function TranslationState({ translation }: { translation: TranslationView }) {
  const word = t.value.line.translationStates[translation.state] ?? translation.state;
  return <StateMark state={translation.state} word={word} people={initials(translation.author)} />;
}
