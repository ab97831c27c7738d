/** Answers of the Query protocol. */
import { randomUUID } from 'node:crypto';

export type Xml = string;

const NAMESPACE = {
	sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
	iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
};

export function tag(name: string, text: string): Xml {
	const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
	return `<${name}>${escaped}</${name}>`;
}

/** An operation without a result answers with the metadata alone. */
export function answer(service: keyof typeof NAMESPACE, action: string, result?: Xml): Xml {
	const inner = result === undefined ? '' : `<${action}Result>${result}</${action}Result>`;
	const metadata = `<ResponseMetadata>${tag('RequestId', randomUUID())}</ResponseMetadata>`;
	return `<${action}Response xmlns="${NAMESPACE[service]}">${inner}${metadata}</${action}Response>`;
}
