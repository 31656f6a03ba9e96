/** The recipe `mga init` writes. */

/** A recipe for an OpenAI-compatible teacher and documents in data/documents.jsonl. */
export function starterRecipe(name: string): string {
  return `# Distils pairs and reformulations from an OpenAI-compatible server into two small models.
#
#   export OPENAI_BASE_URL=https://api.openai.com/v1 OPENAI_API_KEY=...
#   mga doctor recipe.yaml    # what is missing
#   mga plan recipe.yaml      # how many requests, what they cost; --probe 5 asks five documents and tells more
#   mga run recipe.yaml       # stop it at any time; the same command goes on
#
# docs/recipe.md lists every key.
name: ${name}
seed: 1

corpus:
  # One JSON object a line: {"id": "...", "text": "..."}; title and domain are optional.
  path: data/documents.jsonl

teacher:
  kind: openai
  model: gpt-4.1-mini
  # What your provider charges, in US dollars per million tokens; without it, prices are not counted.
  # price: {inputPerMillion: 0.4, outputPerMillion: 1.6}

students:
  - name: pairs
    stages: [pairs]
    generate: {repetitionPenalty: 1}
  - name: reformulate
    stages: [reformulate]

train:
  model: smollm2-135m-instruct
  epochs: 2

generate:
  temperature: 0.3
  # Small models fall into loops without it.
  repetitionPenalty: 1.1

validate:
  pairsPerDocument: 2
  judge: {kind: teacher}
  # Pictures of where the texts lie beside their sources; 90 MB are fetched once.
  embeddings: all-minilm-l6-v2
`;
}
