import type { Range, WordView } from '../api/types';
import { decimal, percent, t } from '../i18n';
import { isDoubtful, wordsIn } from './doubt';
import { parseWording, reveal, type Part } from './text';

/** What was said, as it was written: with its language for voices and hyphens, and unable to disturb the text around it. */
export function Said(props: { text: string; lang: string; machine?: boolean; words?: WordView[] | undefined; below?: number; marks?: Range[] }) {
  const { text, lang, machine, words, below, marks } = props;
  return (
    <span class={machine ? 'said by-machine' : 'said'} lang={lang || undefined} dir="auto">
      {marks ? <Marked text={text} marks={marks} /> : words ? <Doubted text={text} words={words} below={below ?? 0} /> : <Parts parts={parseWording(text)} />}
    </span>
  );
}

export function Parts({ parts }: { parts: Part[] }) {
  return <>{parts.map((p, i) => <OnePart key={i} part={p} />)}</>;
}

function OnePart({ part }: { part: Part }) {
  switch (part.kind) {
    case 'words':
      return <>{part.text}</>;
    case 'hidden':
      return <span class="chip" title={t.value.line.hiddenCharacter}>{part.code}</span>;
    case 'inaudible':
      return <span class="inaudible">[{t.value.line.inaudible(decimal(Number(part.seconds)))}]</span>;
    case 'rivals':
      return <span class="rivals">{part.hearings.map((h, i) => <span key={i}>{i > 0 && <span class="sr"> / </span>}<Parts parts={reveal(h)} /></span>)}</span>;
  }
}

function Doubted(props: { text: string; words: WordView[]; below: number }) {
  return (
    <>
      {wordsIn(props.text, props.words).map(({ text, word }, i) =>
        word && isDoubtful(word, props.below)
          ? <span key={i} class="word-doubt" title={t.value.line.doubt(percent(word[3] / 10_000)) + (word[4] ? `; ${t.value.line.boosted}` : '')}><Parts parts={reveal(text)} /></span>
          : <Parts key={i} parts={reveal(text)} />)}
    </>
  );
}

function Marked({ text, marks }: { text: string; marks: Range[] }) {
  const characters = [...text];
  const piece = (from: number, to: number) => <Parts parts={reveal(characters.slice(from, to).join(''))} />;
  let at = 0;
  return (
    <>
      {marks.map((m, i) => {
        const before = at;
        at = m.to;
        return <span key={i}>{piece(before, m.from)}<mark>{piece(m.from, m.to)}</mark></span>;
      })}
      {piece(at, characters.length)}
    </>
  );
}
