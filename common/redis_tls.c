/*
 * TLS by OpenSSL, which is opened when a URL asks for it and not before: to load it
 * costs more than a whole call of a program that has no use for it.
 */
#include "redis_wire.h"

#include "clock.h"
#include "mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

struct tls {
	SSL_CTX *context;
	SSL *ssl;
};

/* The functions that are used, by name. */
static struct {
	__typeof__(&TLS_client_method) TLS_client_method;
	__typeof__(&SSL_CTX_new) SSL_CTX_new;
	__typeof__(&SSL_CTX_free) SSL_CTX_free;
	__typeof__(&SSL_CTX_set_verify) SSL_CTX_set_verify;
	__typeof__(&SSL_CTX_set_default_verify_paths) SSL_CTX_set_default_verify_paths;
	__typeof__(&SSL_CTX_load_verify_locations) SSL_CTX_load_verify_locations;
	__typeof__(&SSL_CTX_use_certificate_chain_file) SSL_CTX_use_certificate_chain_file;
	__typeof__(&SSL_CTX_use_PrivateKey_file) SSL_CTX_use_PrivateKey_file;
	__typeof__(&SSL_new) SSL_new;
	__typeof__(&SSL_free) SSL_free;
	__typeof__(&SSL_set_fd) SSL_set_fd;
	__typeof__(&SSL_set1_host) SSL_set1_host;
	__typeof__(&SSL_ctrl) SSL_ctrl;
	__typeof__(&SSL_connect) SSL_connect;
	__typeof__(&SSL_read) SSL_read;
	__typeof__(&SSL_write) SSL_write;
	__typeof__(&SSL_get_error) SSL_get_error;
	__typeof__(&SSL_get_verify_result) SSL_get_verify_result;
	__typeof__(&X509_verify_cert_error_string) X509_verify_cert_error_string;
	__typeof__(&ERR_peek_last_error) ERR_peek_last_error;
	__typeof__(&ERR_reason_error_string) ERR_reason_error_string;
} lib;

#define FUNCTION(name)           \
	{                        \
#name, &lib.name \
	}

static int load(struct err *e)
{
	static void *library;
	const struct {
		const char *name;
		void *to;
	} functions[] = {FUNCTION(TLS_client_method), FUNCTION(SSL_CTX_new),
		FUNCTION(SSL_CTX_free), FUNCTION(SSL_CTX_set_verify),
		FUNCTION(SSL_CTX_set_default_verify_paths),
		FUNCTION(SSL_CTX_load_verify_locations),
		FUNCTION(SSL_CTX_use_certificate_chain_file),
		FUNCTION(SSL_CTX_use_PrivateKey_file), FUNCTION(SSL_new), FUNCTION(SSL_free),
		FUNCTION(SSL_set_fd), FUNCTION(SSL_set1_host), FUNCTION(SSL_ctrl),
		FUNCTION(SSL_connect), FUNCTION(SSL_read), FUNCTION(SSL_write),
		FUNCTION(SSL_get_error), FUNCTION(SSL_get_verify_result),
		FUNCTION(X509_verify_cert_error_string), FUNCTION(ERR_peek_last_error),
		FUNCTION(ERR_reason_error_string)};

	if (library)
		return 0;
	library = dlopen("libssl.so.3", RTLD_NOW);
	for (size_t i = 0; library && i < countof(functions); i++) {
		void *symbol = dlsym(library, functions[i].name);

		if (!symbol)
			return library = NULL, err_set(e, -ENOTSUP, "TLS: %s", dlerror());
		memcpy(functions[i].to, &symbol, sizeof symbol);
	}
	return library ? 0 : err_set(e, -ENOTSUP, "TLS: %s", dlerror());
}

static int set_up(struct tls *t, const struct redis_url *u, struct err *e)
{
	t->context = lib.SSL_CTX_new(lib.TLS_client_method());
	if (!t->context)
		return err_set(e, -ENOMEM, "TLS: out of memory");
	lib.SSL_CTX_set_verify(t->context, u->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (u->cacert ? !lib.SSL_CTX_load_verify_locations(t->context, u->cacert, NULL)
		      : !lib.SSL_CTX_set_default_verify_paths(t->context))
		return err_set(e, -ENOENT, "TLS: %s: no certificates in it",
			u->cacert ? u->cacert : "the system's store");
	if (u->cert && !lib.SSL_CTX_use_certificate_chain_file(t->context, u->cert))
		return err_set(e, -ENOENT, "TLS: %s: no certificate in it", u->cert);
	if (u->key && !lib.SSL_CTX_use_PrivateKey_file(t->context, u->key, SSL_FILETYPE_PEM))
		return err_set(e, -ENOENT, "TLS: %s: no key in it", u->key);
	return 0;
}

static short events_of(struct tls *t, int result)
{
	switch (lib.SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ: return POLLIN;
	case SSL_ERROR_WANT_WRITE: return POLLOUT;
	default: return 0;
	}
}

static int shake_hands(struct tls *t, int fd, int64_t deadline, struct err *e)
{
	int r;

	while ((r = lib.SSL_connect(t->ssl)) != 1) {
		struct pollfd p = {.fd = fd, .events = events_of(t, r)};
		long verified;

		if (p.events && poll(&p, 1, clock_poll_timeout(deadline)) > 0)
			continue;
		if (p.events)
			return err_set(e, -ENOTCONN, "TLS: no answer in time");
		verified = lib.SSL_get_verify_result(t->ssl);
		if (verified != X509_V_OK)
			return err_set(e, -EACCES, "TLS: %s",
				lib.X509_verify_cert_error_string(verified));
		return err_set(e, -EPROTO, "TLS: what answers does not speak it");
	}
	return 0;
}

void tls_close(struct tls *t)
{
	if (t->ssl)
		lib.SSL_free(t->ssl);
	if (t->context)
		lib.SSL_CTX_free(t->context);
	free(t);
}

int tls_open(
	struct tls **out, int fd, const struct redis_url *u, int64_t deadline, struct err *e)
{
	const char *name = u->server ? u->server : u->host;
	struct tls *t;
	int r = load(e);

	if (r < 0)
		return r;
	t = mem_zero(1, sizeof *t);
	r = set_up(t, u, e);
	if (r == 0 && !(t->ssl = lib.SSL_new(t->context)))
		r = err_set(e, -ENOMEM, "TLS: out of memory");
	if (r == 0) {
		AUTO_FREE char *sni = mem_string(name);

		lib.SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, sni);
		lib.SSL_set1_host(t->ssl, name);
		lib.SSL_set_fd(t->ssl, fd);
		r = shake_hands(t, fd, deadline, e);
	}
	if (r < 0)
		tls_close(t);
	else
		*out = t;
	return r;
}

/* The other side may say that it will not have us, as one does that asks for a certificate. */
static int broken(int code)
{
	return ERR_GET_REASON(lib.ERR_peek_last_error()) > SSL_AD_REASON_OFFSET ? -EACCES : code;
}

const char *tls_reason(void)
{
	const char *reason = lib.ERR_reason_error_string(lib.ERR_peek_last_error());

	return reason ? reason : "refused";
}

ssize_t tls_read(struct tls *t, void *bytes, size_t length, short *events)
{
	int n = lib.SSL_read(t->ssl, bytes, (int)MIN(length, (size_t)INT32_MAX));

	if (n > 0)
		return n;
	*events = events_of(t, n);
	return *events ? -EAGAIN : broken(0);
}

ssize_t tls_write(struct tls *t, const void *bytes, size_t length, short *events)
{
	int n = lib.SSL_write(t->ssl, bytes, (int)MIN(length, (size_t)INT32_MAX));

	if (n > 0)
		return n;
	*events = events_of(t, n);
	return *events ? -EAGAIN : broken(-ECONNRESET);
}
