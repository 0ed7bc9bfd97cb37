// How the suites of this folder send and read mail: nodemailer and mailpit-api, where they are told.
import { randomUUID } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { MailpitClient } from "mailpit-api";
import nodemailer from "nodemailer";

export const mailpit = new MailpitClient(process.env.MAILPIT_URL);

const transport = () =>
  nodemailer.createTransport({
    host: process.env.SMTP_HOST,
    port: Number(process.env.SMTP_PORT),
    secure: false,
    ignoreTLS: true,
  });

export const address = (name) => `${name}-${randomUUID()}@suite.test`;

export async function send(to, { subject = "hello", tags = "", messageId } = {}) {
  const client = transport();
  try {
    const headers = tags ? { "X-Tags": tags } : {};
    return await client.sendMail({ from: "app@suite.test", to, subject, text: "text", headers, messageId });
  } finally {
    client.close();
  }
}

// Waits until the other process is here as well: opening a FIFO blocks until both of its ends are open.
export function meet(place, isFirst) {
  closeSync(openSync(`${process.env.MEETING_PLACE}/${place}`, isFirst ? "w" : "r"));
}
