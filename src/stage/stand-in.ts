/** What stands for answers that are still to come, where prompts and training rows are sized before anyone was asked. */

/** English text in usual vocabularies; good enough for a price, and for memory. */
export const CHARACTERS_PER_TOKEN = 4;

/** As long as genres (2-3 sentences) and audiences (2 sentences) usually are. */
export const TYPICAL_PAIR = { genre: '.'.repeat(300), audience: '.'.repeat(200) };
