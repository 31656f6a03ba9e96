/** Colours by meaning; none where NO_COLOR is set (https://no-color.org). */

import { Text } from 'ink';
import { createContext, type ReactNode, useContext } from 'react';

const COLORS = { good: 'green', busy: 'cyan', bad: 'red', warn: 'yellow', quiet: 'gray' } as const;

export type Tone = keyof typeof COLORS;

/** Whether colours are used at all. */
export const ColorContext = createContext(true);

export function Tint({ tone, children }: { tone?: Tone; children: ReactNode }) {
  const colored = useContext(ColorContext);
  return tone && colored ? <Text color={COLORS[tone]}>{children}</Text> : <Text>{children}</Text>;
}
