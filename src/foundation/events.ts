/** Progress events: the one channel from the stages to whatever shows them (terminal UI, JSON lines, tests). */

/** The commands of the pipeline, in the order the data takes. */
export type CommandName = 'collect' | 'curate' | 'train' | 'quantize' | 'export' | 'validate' | 'report';

export type RunEvent =
  /** Of a run with several rounds: the commands that follow are this round's. */
  | { type: 'round-start'; round: number; count: number }
  /** A command began. `total` counts its work units (requests, steps, outputs) where known. */
  | { type: 'command-start'; command: CommandName; detail: string; total?: number; unit?: string }
  /** Work units finished so far, for a progress bar. `label` tells several bars of one command apart. */
  | { type: 'command-progress'; command: CommandName; label: string; done: number; total: number; unit: string }
  /** The command's artifacts were already complete for these inputs. */
  | { type: 'command-skip'; command: CommandName; reason: string }
  | { type: 'command-end'; command: CommandName; seconds: number; summary: string }
  /** One optimizer step of a student. `loss` is the mean over completion tokens (nats). */
  | {
      type: 'step-end';
      student: string;
      step: number;
      steps: number;
      loss: number;
      learningRate: number;
      tokensPerSecond: number;
      secondsLeft: number;
    }
  /** After a student's first step in this process: how long the rest takes. `buildSeconds` of the step's come once. */
  | {
      type: 'training-estimate';
      student: string;
      /** Steps that are left. */
      steps: number;
      stepSeconds: number;
      buildSeconds: number;
      secondsLeft: number;
    }
  /** Dev loss of a student after `step` steps. */
  | { type: 'dev-loss'; student: string; step: number; loss: number }
  /** A labeled, judged or generated sample, for people who like to watch. */
  | { type: 'sample-made'; stage: string; source: string; docId: string; text: string; score?: number }
  | { type: 'log'; level: 'info' | 'warn'; message: string };

export type Emit = (event: RunEvent) => void;
