#include "lock_place.h"

#include "buf.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

enum { MOUNTINFO_MAX = 4 << 20 };

#define FUSE 0x65735546u

/* Magic numbers of statfs(2), those of linux/magic.h and of file systems outside the kernel. */
static const struct {
	unsigned magic;
	const char *name;
} networks[] = {
	{0x6969, "NFS"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB"},
	{0x517b, "SMB"},
	{0x01021997, "9P"},
	{0x5346414f, "AFS"},
	{0x6b414653, "AFS"},
	{0x73757245, "Coda"},
	{0x00c36400, "Ceph"},
	{0x0bd00bd0, "Lustre"},
	{0x47504653, "GPFS"},
	{0x01161970, "GFS2"},
	{0x7461636f, "OCFS2"},
	{0x19830326, "BeeGFS"},
	{0x786f4256, "vboxsf"},
	{0xbacbacbc, "HGFS"},
};

/* Types whose source does not tell: a bucket's or a volume's name. */
static const char *const remote_types[] = {
	"virtiofs",
	"fuse.blobfuse",
	"fuse.blobfuse2",
	"fuse.ceph",
	"fuse.ceph-fuse",
	"fuse.gcsfuse",
	"fuse.glusterfs",
	"fuse.goofys",
	"fuse.juicefs",
	"fuse.mount-s3",
	"fuse.s3fs",
	"fuse.vmhgfs-fuse",
};

/* "host:/path", "https://host/path", "remote:": what no local device or folder is called. */
static bool is_remote(const char *type, const char *source)
{
	for (size_t i = 0; i < countof(remote_types); i++)
		if (strcmp(type, remote_types[i]) == 0)
			return true;
	return source[0] != '/' && strchr(source, ':');
}

bool lock_place_remote(const char *mountinfo, dev_t device, char network[NETWORK_SIZE])
{
	for (const char *line = mountinfo; line; line = strchr(line, '\n')) {
		char type[NETWORK_SIZE], source[256];
		unsigned major, minor;
		const char *rest;

		line += *line == '\n';
		rest = strstr(line, " - ");
		if (sscanf(line, "%*d %*d %u:%u", &major, &minor) != 2 ||
			makedev(major, minor) != device || !rest ||
			sscanf(rest, " - %47s %255s", type, source) != 2)
			continue;
		if (is_remote(type, source)) {
			snprintf(network, NETWORK_SIZE, "%s", type);
			return true;
		}
	}
	return false;
}

/* Most file systems in user space are local; of what is not known, so is this. */
static int check_fuse(int fd, char network[NETWORK_SIZE])
{
	AUTO_BUF struct buf text = {0};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) < 0)
		return 0;
	return lock_place_remote(text.text, st.st_dev, network);
}

int lock_place_check(int fd, char network[NETWORK_SIZE])
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if ((unsigned)fs.f_type == FUSE)
		return check_fuse(fd, network);
	for (size_t i = 0; i < countof(networks); i++) {
		if ((unsigned)fs.f_type == networks[i].magic) {
			snprintf(network, NETWORK_SIZE, "%s", networks[i].name);
			return 1;
		}
	}
	return 0;
}
