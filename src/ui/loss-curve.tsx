/** The loss of a student while it is trained, over all of its steps. */

import { Box, Text } from 'ink';
import type { StudentProgress } from '../pipeline/progress.ts';
import { brailleCurve } from './braille-curve.ts';
import { count, duration } from './format.ts';
import { Tint } from './tint.tsx';

const HEIGHT = 5;
const AXIS_CELLS = 8;

export function LossCurve({ student, width }: { student: StudentProgress; width: number }) {
  const last = student.losses.at(-1);
  if (!last) return null;
  const points = student.losses.map(({ step, loss }) => ({ x: step, y: loss }));
  const lines = brailleCurve(points, { width: width - AXIS_CELLS, height: HEIGHT, xMax: student.steps });
  const values = student.losses.map(({ loss }) => loss);
  const labels = lines.map((_, i) => {
    if (i === 0) return Math.max(...values).toFixed(2);
    return i === HEIGHT - 1 ? Math.min(...values).toFixed(2) : '';
  });
  const dev = student.devLosses.at(-1);
  const facts = [
    `loss ${last.loss.toFixed(3)}`,
    dev ? `dev ${dev.loss.toFixed(3)} at step ${dev.step}` : '',
    student.tokensPerSecond > 0 ? `${count(Math.round(student.tokensPerSecond))} tokens/s` : '',
    student.secondsLeft > 0 ? `${duration(student.secondsLeft)} left` : '',
  ];
  return (
    <Box flexDirection="column" marginTop={1}>
      <Text wrap="truncate">
        {student.student}: {facts.filter(Boolean).join(', ')}
      </Text>
      {lines.map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a chart have no other identity
        <Text key={i} wrap="truncate">
          <Tint tone="quiet">{(labels[i] ?? '').padStart(AXIS_CELLS - 2)} </Tint>
          <Tint tone="busy">{line}</Tint>
        </Text>
      ))}
    </Box>
  );
}
