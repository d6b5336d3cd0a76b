import { oneOf, setting } from '../ui/setting';

/** The languages that people translate into here. */
export const targets = ['en', 'uk', 'ru', 'pl', 'de', 'fr'] as const;
export type Target = (typeof targets)[number];

/** The language that this person reads and writes translations in. */
export const target = setting<Target>('translation', 'en', oneOf(...targets));
