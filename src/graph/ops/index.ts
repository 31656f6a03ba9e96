/** Ops that pick rows by number. */

import { check, type Op } from './op.ts';

export const index = {
  /** Rows of a table: [n, ...] and integer indices [...i] give [...i, ...]. Forward only (frozen embeddings). */
  Gather: {
    infer([table, indices]) {
      check(indices!.dtype === 'int64' || indices!.dtype === 'int32', 'indices must be integers');
      return [{ dtype: table!.dtype, shape: [...indices!.shape, ...table!.shape.slice(1)] }];
    },
  },
} satisfies Record<string, Op>;
