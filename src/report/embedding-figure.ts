/** Texts as points: colour and shape say the kind, what lies close together says alike things. */

import * as Plot from '@observablehq/plot';
import { armColour, armLabel } from './arms.ts';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import type { Embeddings } from './run-data.ts';

/** Shapes by kind, for those who do not tell the colours apart. */
const SHAPES: Readonly<Record<string, Plot.SymbolType>> = {
  source: 'cross',
  teacher: 'square',
  base: 'triangle',
  strict: 'wye',
  relaxed: 'star',
  'student-w8a8': 'diamond',
};

/** Shapes of further arms, in the order they are met; the student has the circle. */
const FURTHER_SHAPES: readonly Plot.SymbolType[] = ['hexagon', 'plus', 'asterisk', 'times', 'triangle2'];

/** The shape of a kind among those of a picture. */
function shapeOf(kind: string, kinds: Embeddings['kinds']): Plot.SymbolType {
  if (kind === 'student') return 'circle';
  const further = kinds.filter((one) => one.kind !== 'student' && SHAPES[one.kind] === undefined);
  const place = further.findIndex((one) => one.kind === kind);
  return SHAPES[kind] ?? FURTHER_SHAPES[place % FURTHER_SHAPES.length]!;
}

/** The texts on a plane, in the order of kinds: the later ones lie on top. */
export function embeddingFigure({ kinds, points }: Embeddings, method: 'tsne' | 'umap'): Markup {
  const name = method === 'tsne' ? 't-SNE' : 'UMAP';
  const counts = kinds.map(({ kind, texts }) => `${texts} of ${armLabel(kind)}`).join(', ');
  // Coordinates to the tenth of a pixel or so: hundreds of points are drawn twice.
  const hidden = { axis: null, inset: 8 };
  return drawFigure(`${name} of the embeddings of ${counts}`, {
    height: 400,
    margin: 2,
    x: hidden,
    y: hidden,
    marks: kinds.map(({ kind }) =>
      Plot.dot(
        points.filter((point) => point.kind === kind),
        {
          x: (point) => point[method][0],
          y: (point) => point[method][1],
          symbol: shapeOf(kind, kinds),
          r: kind === 'source' ? 4 : 3,
          stroke: armColour(kind),
          strokeOpacity: 0.85,
        },
      ),
    ),
  });
}

/** The character that stands for a kind's shape in the legend. */
export function kindSign(kind: string, kinds: Embeddings['kinds']): string {
  const signs: Readonly<Record<string, string>> = {
    cross: '✚',
    square: '□',
    triangle: '△',
    wye: 'Y',
    star: '☆',
    diamond: '◇',
    hexagon: '⬡',
    plus: '+',
    asterisk: '✱',
    times: '×',
    triangle2: '▽',
  };
  return signs[shapeOf(kind, kinds) as string] ?? '○';
}
