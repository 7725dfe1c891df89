/** `corridors` is `corridor`, `deliveries` is `delivery`: of names of members and paths alone. */
export const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '');
