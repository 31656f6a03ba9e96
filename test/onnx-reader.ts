/** Reads model files back, for tests: the protocol-buffer wire format and the few ONNX fields that tests look at. */

export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Varints as bigint; everything else as its bytes. */
  readonly value: bigint | Uint8Array;
}

/** The fields of one message, in file order. Written from the format's description, not from our writer. */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) throw new Error('message ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length) throw new Error('message ends within a field');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const [number, wireType] = [tag >> 3, tag & 7];
    if (wireType === 0) fields.push({ number, wireType, value: varint() });
    else if (wireType === 5) fields.push({ number, wireType, value: take(4) });
    else if (wireType === 2) fields.push({ number, wireType, value: take(Number(varint())) });
    else throw new Error(`wire type ${wireType}`);
  }
  return fields;
}

const messages = (fields: readonly Field[], number: number) =>
  fields.filter((field) => field.number === number).map((field) => field.value as Uint8Array);
const strings = (fields: readonly Field[], number: number) =>
  messages(fields, number).map((bytes) => new TextDecoder().decode(bytes));

export interface ReadModel {
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly initializers: readonly string[];
}

/** Names and nodes of a ModelProto. */
export function readModel(bytes: Uint8Array): ReadModel {
  const graph = readFields(messages(readFields(bytes), 7)[0]!);
  const names = (number: number, nameField: number) =>
    messages(graph, number).map((message) => strings(readFields(message), nameField)[0]!);
  return {
    nodes: messages(graph, 1).map((message) => {
      const fields = readFields(message);
      return { op: strings(fields, 4)[0]!, inputs: strings(fields, 1), outputs: strings(fields, 2) };
    }),
    inputs: names(11, 1),
    outputs: names(12, 1),
    initializers: names(5, 8),
  };
}
