import { effect, signal } from '@preact/signals';
import { oneOf, setting } from './setting';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
export const theme = setting<Theme>('theme', 'system', oneOf(...themes));

export const density = setting<'dense' | 'comfortable'>('density', 'dense', oneOf('dense', 'comfortable'));

/** The theme that is shown, which follows the system's where none is chosen. */
export const shownTheme = signal<'light' | 'dark'>('light');

export function applyTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const system = signal(dark.matches);
  dark.addEventListener('change', () => (system.value = dark.matches));
  effect(() => {
    const chosen = theme.value;
    shownTheme.value = chosen === 'system' ? (system.value ? 'dark' : 'light') : chosen;
    const root = document.documentElement;
    if (chosen === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = chosen;
    root.dataset['density'] = density.value;
  });
}
