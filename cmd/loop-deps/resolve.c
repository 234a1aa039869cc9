#include "resolve.h"

#include <fcntl.h>

void folder_probe(struct folder *f)
{
	const struct {
		const char *name;
		bool *has;
	} names[] = {
		{"package.json", &f->has_package},
		{"tsconfig.json", &f->has_config},
		{"jsconfig.json", &f->has_jsconfig},
		{"__init__.py", &f->has_init},
	};

	if (f->probed)
		return;
	f->probed = true;
	for (size_t i = 0; i < countof(names); i++) {
		AUTO_BUF struct buf path = {0};

		buf_format(&path, "%s/%s", f->path, names[i].name);
		*names[i].has = faccessat(AT_FDCWD, path.text, R_OK, 0) == 0;
	}
}

void tree_resolve(struct tree *t)
{
	resolve_python_start(t);
	resolve_script_start(t);
	for (uint32_t i = 0; i < t->references; i++) {
		struct reference *r = &t->reference[i];

		if (r->import.flags & IMPORT_COMPUTED)
			r->outcome = OUTCOME_COMPUTED;
		else if (t->file[r->from].language == LANGUAGE_PYTHON)
			resolve_python(t, r);
		else
			resolve_script(t, r);
	}
}
