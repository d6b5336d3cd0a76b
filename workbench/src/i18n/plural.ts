/** The forms of a counted word. Languages use those that Intl.PluralRules gives for them. */
export interface Forms {
  one: string;
  few?: string;
  many?: string;
  other: string;
}

/** Returns how a language counts: "1 line", "2 lines"; "1 рядок", "2 рядки", "5 рядків". */
export function counter(language: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const digits = new Intl.NumberFormat(language);
  return (n, forms) => {
    const category = rules.select(n);
    const word = (category === 'one' || category === 'few' || category === 'many' ? forms[category] : undefined) ?? forms.other;
    return `${digits.format(n)} ${word}`;
  };
}
