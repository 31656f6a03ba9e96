/** `mga quantize`. */

import { stageCommand } from '../stage-command.ts';

export const command = stageCommand(
  'quantize',
  `SmoothQuant W8A8: int8 weights per output channel, int8 activations per token.`,
);
