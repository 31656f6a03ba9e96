/** `npm run -s bench -- NAME`: measures one thing and ends with one line of JSON. */

/** One line a bench: what it is called, and the file whose import runs it. */
const BENCHES: Record<string, () => Promise<unknown>> = {
  balance: () => import('./balance.ts'),
  cleaning: () => import('./cleaning.ts'),
  collect: () => import('./collect.ts'),
  train: () => import('./train.ts'),
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  console.error(`Cannot run bench ${name || '(none named)'}: there are ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 1;
} else await bench();
