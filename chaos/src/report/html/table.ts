import { type Markup, type MarkupValue, markup } from '../markup.ts'

export interface Column<Row> {
  head: string
  cell(row: Row): MarkupValue
  /** Numbers stand right. */
  number?: boolean
  /** A class of the cell. */
  name?: string
}

/**
 * A table that becomes a list of cards on a phone. The first column names the row. The roles are spelled out, because
 * `display: block` takes them away in some browsers.
 *
 * @param name a class of the table
 */
export function table<Row>(caption: string, columns: Column<Row>[], rows: Row[], name?: string): Markup {
  const classes = (column: Column<Row>) => [column.number && 'number', column.name].filter(Boolean).join(' ')
  return markup`<table role="table" class="${name}"><caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(column => markup`<th role="columnheader" scope="col" class="${classes(column)}">${column.head}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    row =>
      markup`<tr role="row">${columns.map((column, index) =>
        index === 0
          ? markup`<th role="rowheader" scope="row" class="${classes(column)}">${column.cell(row)}</th>`
          : markup`<td role="cell" class="${classes(column)}" data-head="${column.head}">${column.cell(row)}</td>`,
      )}</tr>
`,
  )}</tbody></table>`
}
