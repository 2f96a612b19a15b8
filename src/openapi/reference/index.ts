/** The text, the problem codes and the examples of every operation, by `operationId`. */
import { audit } from './audit.ts';
import { bots } from './bots.ts';
import { clients } from './clients.ts';
import { keys } from './keys.ts';
import { runners } from './runners.ts';
import { service } from './service.ts';

export const REFERENCE = { ...clients, ...bots, ...keys, ...runners, ...audit, ...service };

export type OperationId = keyof typeof REFERENCE;
