/** Whether two models come from one house: judges favour texts of their own family (arXiv 2410.21819, 2502.01534). */

/** Houses and what their models' names hold; the first that fits counts. */
const FAMILIES: readonly (readonly [family: string, name: RegExp])[] = [
  ['OpenAI', /\b(?:gpt|chatgpt|davinci|o[1-9])\b/],
  ['Anthropic', /\bclaude\b/],
  ['Google', /\b(?:gemini|gemma|palm)/],
  ['Meta', /\b(?:meta-?)?llama/],
  ['Qwen', /\bqw(?:en|q)/],
  ['DeepSeek', /\bdeepseek/],
  ['Mistral', /\b(?:mi[sx]tral|ministral|magistral)/],
  ['Microsoft', /\bphi\b|\bphi-?\d/],
  ['SmolLM', /\bsmollm/],
  ['Cohere', /\bcommand\b|\bcommand-/],
  ['xAI', /\bgrok/],
];

/** The house of a model by its name; undefined where the name does not tell. */
export function modelFamily(name: string): string | undefined {
  const lower = name.toLowerCase().replaceAll('_', '-');
  return FAMILIES.find(([, pattern]) => pattern.test(lower))?.[0];
}
