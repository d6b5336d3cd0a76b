import { effect, signal } from '@preact/signals';
import { oneOf, setting } from '../ui/setting';
import { en } from './en';

export type Messages = typeof en;

export const languages = ['en', 'uk', 'ru'] as const;
export type Language = (typeof languages)[number];
export const languageNames: Record<Language, string> = { en: 'English', uk: 'Українська', ru: 'Русский' };

function preferred(): Language {
  for (const tag of typeof navigator === 'undefined' ? [] : navigator.languages) {
    const found = languages.find((l) => tag.toLowerCase().startsWith(l));
    if (found) return found;
  }
  return 'en';
}

export const language = setting<Language>('language', preferred(), oneOf(...languages));

/** The messages in the language of the interface. */
export const t = signal<Messages>(en);

const load: Record<Language, () => Promise<Messages>> = {
  en: () => Promise.resolve(en),
  uk: () => import('./uk').then((m) => m.uk),
  ru: () => import('./ru').then((m) => m.ru),
};

export function applyLanguage(): void {
  effect(() => {
    const wanted = language.value;
    void load[wanted]().then((messages) => {
      if (language.peek() !== wanted) return;
      document.documentElement.lang = wanted;
      t.value = messages;
    });
  });
}

export const number = (n: number) => new Intl.NumberFormat(language.value).format(n);

/** With one decimal. */
export const decimal = (n: number) => new Intl.NumberFormat(language.value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(n);

export function percent(fraction: number): string {
  return new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 }).format(fraction);
}

/** The name of a language in the interface's own, such as "Ukrainian". */
export function languageName(code: string): string {
  if (!code) return '';
  try {
    return new Intl.DisplayNames([language.value], { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}
