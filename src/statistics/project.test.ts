import { describe, expect, it } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { type Projection, project } from './project.ts';

/** `each` points around each of three far centres in 24 dimensions. */
function clouds(each: number): number[][] {
  const random = randomStream('clouds');
  const centres = [0, 1, 2].map(() => Array.from({ length: 24 }, () => random.normal()));
  return Array.from({ length: 3 * each }, (_, i) => centres[i % 3]!.map((x) => x + 0.2 * random.normal()));
}

describe.each<Projection>(['tsne', 'umap'])('project() by %s', (method) => {
  const points = clouds(20);
  const plane = project(points, method, 5);

  it('keeps neighbours beside each other', () => {
    const isNear = plane.map((own, i) => {
      const distances = plane.map((other, j) =>
        i === j ? Infinity : Math.hypot(own[0] - other[0], own[1] - other[1]),
      );
      return distances.indexOf(Math.min(...distances)) % 3 === i % 3;
    });
    expect(isNear.filter((near) => near).length).toBeGreaterThan(57);
  });

  it('repeats itself', () => {
    expect(project(points, method, 5)).toEqual(plane);
    expect(project(points, method, 6)).not.toEqual(plane);
  });

  it('draws a few points, also equal ones, and refuses fewer', () => {
    const few = [...clouds(3), clouds(3)[0]!];
    expect(project(few, method, 5).flat().every(Number.isFinite)).toBe(true);
    expect(() => project(clouds(2), method, 5)).toThrow('Cannot project 6 points');
  });
});
