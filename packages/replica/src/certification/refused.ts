/** A request that does not authenticate or cannot be hashed: its sender's fault, told in the message. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
