"""Stored pages: every response byte for byte in WARC 1.1 files (one per source and day), and snapshot folders.

http_transaction   one request with its response
record_serializer  a transaction as the bytes of its WARC records
warc_writer        append those bytes to files that several processes share and that survive `kill -9`
content_encoding   decode bodies, with a maximum size
warc_records       read single records, whole or not at all
snapshot_reader    WARC files as Snapshots
record_copy        copy records byte for byte into another file
spooled_archive    the archive as readers see it: a folder, and the object storage that has its closed files
object_storage     objects that are written once and read by byte range
uploads            upload closed files, remove them from the folder later
inventory          the files of an archive, with digests, and what differs from a list
removed_files      the files that the retention policy removed
snapshot_folder    stored pages with their meta data and expectations
"""
