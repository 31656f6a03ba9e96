/** The arms of a comparison: reading order and the names people see. */

/** Teacher first, then from untrained to deployed. Unknown arms follow in the order they are met. */
const ARM_ORDER: readonly string[] = ['teacher', 'base', 'student', 'student-w8a8'];

const ARM_LABELS: Readonly<Record<string, string>> = {
  teacher: 'Teacher (labeler LLM)',
  base: 'Base model, untrained',
  student: 'Student',
  'student-w8a8': 'Student, W8A8',
  source: 'Source',
  strict: 'Strict variant',
  relaxed: 'Relaxed variant',
};

/** Kinds of text that are no arms, and have a colour of their own. */
const FURTHER_KINDS: readonly string[] = ['source', 'strict', 'relaxed'];

const STAGE_LABELS: Readonly<Record<string, string>> = {
  pairs: 'Genre-audience pairs',
  reformulate: 'Reformulation',
  judge: 'Judging',
};

/** The arm's name for people; the arm itself where it has none. */
export function armLabel(arm: string): string {
  return ARM_LABELS[arm] ?? arm;
}

/** The stage's name for people. */
export function stageLabel(stage: string): string {
  return STAGE_LABELS[stage] ?? stage;
}

/** The distinct arms in reading order. */
export function orderArms(arms: Iterable<string>): string[] {
  const rank = (arm: string) => (ARM_ORDER.includes(arm) ? ARM_ORDER.indexOf(arm) : ARM_ORDER.length);
  return [...new Set(arms)].sort((a, b) => rank(a) - rank(b));
}

/** The custom property of the style sheet that holds the arm's colour; it follows light and dark. */
export function armColour(arm: string): string {
  return `var(--${armClass(arm)})`;
}

/** Further arms named for a prompt variant (`slm-strict`) have the colour of its texts. */
const VARIANT_ARM = /-(strict|relaxed)$/;

/** The class that gives an element the arm's colour (`--key`). */
export function armClass(arm: string): string {
  const variant = VARIANT_ARM.exec(arm)?.[1];
  if (variant !== undefined) return `arm-${variant}`;
  return [...ARM_ORDER, ...FURTHER_KINDS].includes(arm) ? `arm-${arm}` : 'arm-other';
}
