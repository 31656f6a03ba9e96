/** Named patterns of what a model says about its task instead of doing it. Data: a pattern is one entry. */

export interface TextPattern {
  readonly name: string;
  /** Where it counts: in the first line, in the last paragraph, or anywhere. Good texts hold some of them in the middle. */
  readonly where: 'start' | 'end' | 'anywhere';
  readonly pattern: RegExp;
}

export const BOILERPLATE_PATTERNS: readonly TextPattern[] = [
  { name: 'consent', where: 'start', pattern: /^(?:sure|certainly|of course|absolutely|great|okay|ok)[!,.:]\s/i },
  {
    name: 'here-is',
    where: 'start',
    pattern:
      /^(?:here(?: is|'s|’s| are)|below is|this is|the following is)\b.*\b(?:rewrit\w+|reformulat\w+|version|draft|response|text|document|for (?:the |this )?\w+ audience)\b|^(?:here(?: is|'s|’s| are)|below is|the following is)\b.*:$/i,
  },
  { name: 'the-following-is', where: 'start', pattern: /^the following (?:is|are)\b/i },
  {
    name: 'role-label',
    where: 'start',
    pattern: /^\W*(?:(?:rewritten|reformulated) (?:text|document|version)|genre|audience|response|output)\W*:/i,
  },
  { name: 'note', where: 'end', pattern: /^\W*notes?\W*:/i },
  {
    name: 'please-note-that',
    where: 'end',
    pattern: /^\W*please note that (?:this|the (?:text|document|above|information)|i\b)/i,
  },
  {
    name: 'offer',
    where: 'end',
    pattern:
      /\b(?:let me know (?:if|whether|what)|feel free to (?:ask|adjust|modify|edit)|(?:would|do) you (?:like|want) me to|if you (?:would like|want|need|'d like) me to|i hope (?:this|that this|it) (?:helps|meets|is helpful|works)|meets your (?:needs|requirements))/i,
  },
  {
    name: 'as-an-ai',
    where: 'anywhere',
    pattern:
      /\b(?:as an? (?:ai|artificial intelligence|(?:large )?language model)\b|i(?: am|'m|’m) (?:just |only )?an? (?:ai|(?:large )?language model)\b)/i,
  },
  {
    name: 'genre-and-audience',
    where: 'anywhere',
    pattern:
      /\b(?:(?:the|this|that|given|requested|chosen|target|specified) genre\b|(?:target|intended|specified|given|chosen) audience\b|genre and (?:the )?audience\b|(?:this|for the) audience\b)/i,
  },
  {
    name: 'about-the-task',
    where: 'anywhere',
    pattern:
      /\b(?:i (?:will|have|can|'ll|’ll|'ve|’ve) (?:now )?(?:rewrit\w+|rewrote|reformulat\w+|follow the (?:genre|format|instructions))|(?:the|this) (?:original|source|provided|given) (?:text|document|passage|article)\b|the rewritten (?:text|document|version)|(?:i'd|i would) be happy to|happy to (?:turn|rewrite|adapt|help you (?:write|rewrite)))/i,
  },
];

/** The part of a text a pattern is looked for in. */
export function patternScope(text: string, where: TextPattern['where']): string {
  const trimmed = text.trim();
  if (where === 'anywhere') return trimmed;
  if (where === 'start') return trimmed.split('\n', 1)[0]!.trim();
  return trimmed.split(/\n\s*\n/).at(-1)!;
}
