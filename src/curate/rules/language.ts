/** Drops texts in another language or script than their source. */

import { language as languageOf, mainScript } from '../../corpus/language.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const language: Rule = {
  name: 'language',
  check({ text, source }) {
    const [ownScript, sourceScript] = [mainScript(text), mainScript(source)];
    if (ownScript !== sourceScript) return drop(`script ${ownScript ?? 'none'}, source ${sourceScript ?? 'none'}`);
    const [own, wanted] = [languageOf(text), languageOf(source)];
    return own && wanted && own !== wanted ? drop(`language ${own}, source ${wanted}`) : KEEP;
  },
};
