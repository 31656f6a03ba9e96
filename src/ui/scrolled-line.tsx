/** A sample or a message that scrolls away above the live part. */

import { Box, Text } from 'ink';
import { oneLine, printable } from './format.ts';
import type { ScrolledItem } from './run-store.ts';
import { Tint } from './tint.tsx';

export function ScrolledLine({ item, width }: { item: ScrolledItem; width: number }) {
  if (item.type === 'log') {
    return (
      <Box width={width}>
        <Text>
          <Tint tone={item.level === 'warn' ? 'warn' : 'quiet'}>{item.level === 'warn' ? '! ' : '  '}</Tint>
          {printable(item.message)}
        </Text>
      </Box>
    );
  }
  const score = item.score === undefined ? '' : `, score ${item.score}`;
  return (
    <Box flexDirection="column" width={width}>
      <Text wrap="truncate">
        <Tint tone="quiet">
          {item.stage} of {item.docId} by {item.source}
          {score}
        </Tint>
      </Text>
      <Text wrap="truncate">{`  ${oneLine(item.text, width - 2)}`}</Text>
    </Box>
  );
}
