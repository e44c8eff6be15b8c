/** Which panels show their numbers as a table: the address says it, as all that the page shows. */

/** A function that tells a panel, by its name, what it must know of that: {isTable, onTable}. */
export function tablesOf(state, go) {
  return (name) => ({
    isTable: state.tables.includes(name),
    onTable: () => go({ ...state, tables: switched(state.tables, name) }, { replace: true }),
  });
}

function switched(tables, name) {
  return tables.includes(name) ? tables.filter((one) => one !== name) : [...tables, name];
}
