/** `mga export`. */

import { stageCommand } from '../stage-command.ts';

export const command = stageCommand('export', `ONNX in the layout transformers.js loads, and the adapter for PEFT.`);
