// SPDX-License-Identifier: MIT
/*
 * Names for references of C types that declare none: where their structs keep them, as CPython's sources (and numpy's) have it. What
 * tp_traverse shows gets its name only where the pointer at that place is the same, so that a struct that is laid out otherwise loses
 * names and nothing else. H is read and believed: for references that are counted and that nothing else shows.
 */
#include "wk-objects.h"
#include "wk-refs.h"

enum {
    V = WK_FIELD_IF_SHOWN,
    H = WK_FIELD_HIDDEN,
};

#define WORD_BITS 13

/* Texts and numbers only: no relocations. */
struct known_field {
    char types[72]; /* tp_name, as older versions have it behind a blank */
    char name[24];
    uint8_t offset; /* from the end of PyObject, in words */
    uint8_t flags;
    uint8_t first, last; /* minor versions of Python 3 */
};

/* "\0": a text that leaves no room for its end is an error. */
#define KNOWN(first, last, flags, types, offset, name)                                                                 \
    {                                                                                                                  \
        types "\0", name "\0", offset, flags, first, last                                                              \
    }
#define FIELD(types, offset, name)  KNOWN(0, 255, V, types, offset, name)
#define HIDDEN(types, offset, name) KNOWN(0, 255, H, types, offset, name)

static const struct known_field known[] = {
    /* Objects/iterobject.c, listobject.c, tupleobject.c, unicodeobject.c, …: an index, then what it goes through */
    FIELD("list_iterator list_reverseiterator tuple_iterator iterator", 1, "<iterated>"),
    FIELD("str_iterator str_ascii_iterator bytes_iterator", 1, "<iterated>"),
    FIELD("bytearray_iterator reversed array.arrayiterator arrayiterator", 1, "<iterated>"),
    FIELD("odict_iterator memory_iterator", 1, "<iterated>"),
    FIELD("dict_keyiterator dict_valueiterator dict_itemiterator set_iterator", 0, "<iterated>"),
    FIELD("dict_reversekeyiterator dict_reversevalueiterator", 0, "<iterated>"),
    FIELD("dict_reverseitemiterator", 0, "<iterated>"),
    FIELD("_collections._deque_iterator _collections._deque_reverse_iterator", 2, "<iterated>"),
    FIELD("collections._deque_iterator collections._deque_reverse_iterator", 2, "<iterated>"),
    FIELD("dict_itemiterator dict_reverseitemiterator", 3, "<result>"),
    FIELD("callable_iterator", 0, "<callable>"),
    FIELD("callable_iterator", 1, "<sentinel>"),
    FIELD("dict_keys dict_values dict_items odict_keys odict_values", 0, ".mapping"),
    FIELD("odict_items", 0, ".mapping"),
    KNOWN(0, 11, H, "longrange_iterator", 0, "<position>"),
    KNOWN(0, 11, H, "longrange_iterator", 1, "<start>"),
    KNOWN(0, 11, H, "longrange_iterator", 2, "<step>"),
    KNOWN(0, 11, H, "longrange_iterator", 3, "<length>"),
    KNOWN(12, 255, H, "longrange_iterator", 0, "<start>"),
    KNOWN(12, 255, H, "longrange_iterator", 1, "<step>"),
    KNOWN(12, 255, H, "longrange_iterator", 2, "<length>"),
    /* Objects/enumobject.c, Python/bltinmodule.c */
    FIELD("enumerate", 1, "<iterator>"),
    FIELD("enumerate", 2, "<result>"),
    FIELD("enumerate", 3, "<count>"),
    FIELD("map", 0, "<iterators>"),
    FIELD("map", 1, "<function>"),
    FIELD("filter", 0, "<function>"),
    FIELD("filter", 1, "<iterator>"),
    FIELD("zip", 1, "<iterators>"),
    FIELD("zip", 2, "<result>"),
    /* Modules/itertoolsmodule.c */
    FIELD("itertools.count", 1, "<count>"),
    FIELD("itertools.count", 2, "<step>"),
    FIELD("itertools.repeat", 0, "<element>"),
    FIELD("itertools.cycle itertools.islice itertools.pairwise", 0, "<iterator>"),
    FIELD("itertools.batched itertools._tee_dataobject", 0, "<iterator>"),
    FIELD("itertools.cycle", 1, "<saved>"),
    FIELD("itertools.pairwise", 1, "<previous>"),
    FIELD("itertools.pairwise", 2, "<result>"),
    FIELD("itertools.chain", 0, "<source>"),
    FIELD("itertools.chain", 1, "<active>"),
    FIELD("itertools.starmap itertools.takewhile itertools.dropwhile", 0, "<function>"),
    FIELD("itertools.filterfalse", 0, "<function>"),
    FIELD("itertools.starmap itertools.takewhile itertools.dropwhile", 1, "<iterator>"),
    FIELD("itertools.filterfalse itertools.accumulate", 1, "<iterator>"),
    FIELD("itertools.accumulate", 0, "<total>"),
    FIELD("itertools.accumulate", 2, "<function>"),
    FIELD("itertools.accumulate", 3, "<initial>"),
    FIELD("itertools.compress", 0, "<data>"),
    FIELD("itertools.compress", 1, "<selectors>"),
    FIELD("itertools.groupby", 0, "<iterator>"),
    FIELD("itertools.groupby", 1, "<function>"),
    FIELD("itertools.groupby", 2, "<target key>"),
    FIELD("itertools.groupby", 3, "<current key>"),
    FIELD("itertools.groupby", 4, "<current value>"),
    FIELD("itertools._grouper", 0, "<parent>"),
    FIELD("itertools._grouper", 1, "<target key>"),
    FIELD("itertools.product itertools.permutations itertools.combinations", 0, "<pool>"),
    FIELD("itertools.combinations_with_replacement", 0, "<pool>"),
    FIELD("itertools.product itertools.combinations", 2, "<result>"),
    FIELD("itertools.combinations_with_replacement", 2, "<result>"),
    FIELD("itertools.permutations", 3, "<result>"),
    FIELD("itertools.zip_longest", 2, "<iterators>"),
    FIELD("itertools.zip_longest", 3, "<result>"),
    FIELD("itertools.zip_longest", 4, "<fill value>"),
    FIELD("itertools._tee", 0, "<data>"),
    /* Modules/_functoolsmodule.c, _operator.c */
    FIELD("functools._lru_cache_wrapper", 7, "<cache>"),
    FIELD("functools._lru_cache_wrapper", 9, "<function>"),
    KNOWN(10, 255, V, "functools._lru_cache_wrapper", 12, "<keyword mark>"),
    KNOWN(10, 255, V, "functools._lru_cache_wrapper", 13, "<element type>"),
    KNOWN(10, 255, V, "functools._lru_cache_wrapper", 14, "<cache info>"),
    KNOWN(0, 9, V, "functools._lru_cache_wrapper", 12, "<cache info>"),
    HIDDEN("functools.KeyWrapper", 0, "<compare>"),
    HIDDEN("functools.KeyWrapper", 1, ".obj"),
    FIELD("operator.attrgetter", 1, "<attributes>"),
    FIELD("operator.itemgetter", 1, "<items>"),
    FIELD("operator.methodcaller", 0, "<method>"),
    FIELD("operator.methodcaller", 1, "<args>"),
    FIELD("operator.methodcaller", 2, "<keywords>"),
    /* Python/context.c */
    FIELD("_contextvars.Context Context", 0, "<previous context>"),
    FIELD("_contextvars.Context Context", 1, "<context vars>"),
    FIELD("_contextvars.ContextVar ContextVar", 1, "<default>"),
    FIELD("_contextvars.Token Token", 0, "<context>"),
    FIELD("_contextvars.Token Token", 1, ".var"),
    FIELD("_contextvars.Token Token", 2, ".old_value"),
    FIELD("hamt", 0, "<root>"),
    /* Objects/descrobject.c, genericaliasobject.c, memoryobject.c */
    FIELD("method-wrapper", 0, "<descriptor>"),
    FIELD("types.GenericAlias", 2, ".__parameters__"),
    FIELD("memoryview", 1, "<buffer>"),
    FIELD("managedbuffer", 3, ".obj"),
    FIELD("builtin_method", 1, ".__self__"),
    FIELD("builtin_method", 2, ".__module__"),
    FIELD("builtin_method", 5, "<class>"),
    FIELD("types.UnionType", 1, ".__parameters__"),
    FIELD("typing.Union", 1, "<hashable args>"),
    FIELD("typing.Union", 2, "<unhashable args>"),
    FIELD("typing.Union", 3, ".__parameters__"),
    /* Modules/_io: one and the other are attributes that 3.13 computes */
    FIELD("_io.TextIOWrapper", 2, ".buffer"),
    FIELD("_io.TextIOWrapper", 3, ".encoding"),
    FIELD("_io.TextIOWrapper", 4, "<encoder>"),
    FIELD("_io.TextIOWrapper", 5, "<decoder>"),
    FIELD("_io.TextIOWrapper", 6, "<newline to read>"),
    FIELD("_io.TextIOWrapper", 7, ".errors"),
    FIELD("_io.TextIOWrapper", 13, "<decoded text>"),
    FIELD("_io.TextIOWrapper", 15, "<pending bytes>"),
    FIELD("_io.TextIOWrapper", 17, "<snapshot>"),
    FIELD("_io.TextIOWrapper", 19, "<raw>"),
    KNOWN(0, 11, H, "_io.StringIO", 5, "<large pieces>"), /* what was written and is not joined yet */
    KNOWN(0, 11, H, "_io.StringIO", 6, "<pieces>"),
    KNOWN(0, 11, H, "_io.StringIO", 8, "<decoder>"),
    KNOWN(0, 11, H, "_io.StringIO", 9, "<newline to read>"),
    KNOWN(0, 11, H, "_io.StringIO", 10, "<newline to write>"),
    KNOWN(12, 13, H, "_io.StringIO", 5, "<written>"),
    KNOWN(12, 13, V, "_io.StringIO", 13, "<decoder>"),
    KNOWN(12, 13, V, "_io.StringIO", 14, "<newline to read>"),
    KNOWN(12, 13, V, "_io.StringIO", 15, "<newline to write>"),
    KNOWN(14, 255, V, "_io.StringIO", 7, "<decoder>"),
    KNOWN(14, 255, V, "_io.StringIO", 8, "<newline to read>"),
    KNOWN(14, 255, V, "_io.StringIO", 9, "<newline to write>"),
    FIELD("_io.BufferedReader _io.BufferedWriter _io.BufferedRandom", 0, ".raw"),
    HIDDEN("_io.BytesIO", 0, "<buffer>"),
    FIELD("_io._BytesIOBuffer", 0, "<source>"),
    HIDDEN("_io.BufferedRWPair", 0, "<reader>"),
    HIDDEN("_io.BufferedRWPair", 1, "<writer>"),
    HIDDEN("_io.IncrementalNewlineDecoder", 0, "<decoder>"),
    HIDDEN("_io.IncrementalNewlineDecoder", 1, "<errors>"),
    /* Modules/_threadmodule.c, _asynciomodule.c, _abc.c, _struct.c, _sre */
    KNOWN(0, 12, H, "_thread._local", 0, "<key>"),
    KNOWN(0, 12, V, "_thread._local", 1, "<args>"),
    KNOWN(0, 12, V, "_thread._local", 2, "<keywords>"),
    KNOWN(0, 12, V, "_thread._local", 4, "<dummies>"),
    KNOWN(0, 12, H, "_thread._local", 5, "<callback of dummies>"),
    KNOWN(13, 255, V, "_thread._local", 0, "<args>"),
    KNOWN(13, 255, V, "_thread._local", 1, "<keywords>"),
    KNOWN(13, 255, V, "_thread._local", 3, "<dummies>"),
    KNOWN(13, 255, V, "_thread._local", 4, "<thread watchdogs>"),
    FIELD("_asyncio.FutureIter", 0, "<future>"),
    FIELD("TaskWakeupMethWrapper _asyncio.TaskWakeupMethWrapper", 0, "<task>"),
    FIELD("TaskStepMethWrapper _asyncio.TaskStepMethWrapper", 0, "<task>"),
    FIELD("TaskStepMethWrapper _asyncio.TaskStepMethWrapper", 1, "<exception>"),
    HIDDEN("_abc._abc_data _abc_data", 0, "._abc_registry"),
    HIDDEN("_abc._abc_data _abc_data", 1, "._abc_cache"),
    HIDDEN("_abc._abc_data _abc_data", 2, "<negative cache>"),
    HIDDEN("_struct.Struct Struct", 3, ".format"),
    HIDDEN("re.Pattern", 2, ".groupindex"),
    HIDDEN("re.Pattern", 3, "<group names>"),
    HIDDEN("re.Pattern", 4, ".pattern"),
    HIDDEN("_sre.SRE_Scanner", 5, "<string>"),
    HIDDEN("re.Match", 1, ".string"),
    HIDDEN("re.Match", 2, ".regs"),
    HIDDEN("re.Match", 3, ".re"),
    /* Objects/genobject.c, odictobject.c, lazyimportobject.c, typevarobject.c */
    FIELD("async_generator_athrow", 0, "<async generator>"),
    FIELD("async_generator_athrow", 1, "<args>"),
    FIELD("anext_awaitable", 0, "<wrapped>"),
    FIELD("anext_awaitable", 1, "<default>"),
    FIELD("coroutine_wrapper", 0, "<coroutine>"),
    FIELD("odict_iterator", 4, "<current key>"),
    FIELD("odict_iterator", 5, "<result>"),
    FIELD("sentinel", 2, ".__module__"),
    FIELD("lazy_import", 0, "<builtins>"),
    FIELD("lazy_import", 1, "<from>"),
    FIELD("lazy_import", 2, "<attribute>"),
    FIELD("lazy_import", 3, "<code>"),
    FIELD("typing.TypeVar", 1, ".__bound__"),
    FIELD("typing.TypeVar", 2, "<evaluate bound>"),
    FIELD("typing.TypeVar", 3, ".__constraints__"),
    FIELD("typing.TypeVar", 4, "<evaluate constraints>"),
    FIELD("typing.TypeVar", 5, ".__default__"),
    FIELD("typing.TypeVar", 6, "<evaluate default>"),
    FIELD("typing.ParamSpec", 2, ".__default__"),
    KNOWN(13, 13, V, "typing.TypeVarTuple", 1, ".__default__"),
    KNOWN(14, 255, V, "typing.TypeVarTuple", 2, ".__default__"),
    KNOWN(12, 14, V, "typing.TypeAliasType", 1, ".__type_params__"),
    KNOWN(12, 14, V, "typing.TypeAliasType", 2, "<evaluate value>"),
    KNOWN(15, 255, V, "typing.TypeAliasType", 2, ".__type_params__"),
    KNOWN(15, 255, V, "typing.TypeAliasType", 3, "<evaluate value>"),
    FIELD("keys items values", 0, "<variables>"),
    /* Modules/_elementtree.c, pyexpat.c */
    FIELD("xml.etree.ElementTree.Element", 0, ".tag"),
    KNOWN(0, 255, V | WK_FIELD_JOINED, "xml.etree.ElementTree.Element", 1, ".text"),
    KNOWN(0, 255, V | WK_FIELD_JOINED, "xml.etree.ElementTree.Element", 2, ".tail"),
    KNOWN(0, 255, V | WK_FIELD_FIRST, "xml.etree.ElementTree.Element", 3, ".attrib"),
    FIELD("_elementtree._element_iterator", 3, "<root element>"),
    FIELD("_elementtree._element_iterator", 4, "<wanted tag>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 0, "<root>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 1, "<this>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 2, "<last>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 3, "<last for tail>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 4, "<data>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 5, "<stack>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 7, "<element factory>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 8, "<comment factory>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 9, "<pi factory>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 10, "<events append>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 11, "<start event>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 12, "<end event>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 13, "<start-ns event>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 14, "<end-ns event>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 15, "<comment event>"),
    FIELD("xml.etree.ElementTree.TreeBuilder", 16, "<pi event>"),
    FIELD("xml.etree.ElementTree.XMLParser", 3, "<names>"),
    FIELD("xml.etree.ElementTree.XMLParser", 6, "<handle start>"),
    FIELD("xml.etree.ElementTree.XMLParser", 7, "<handle data>"),
    FIELD("xml.etree.ElementTree.XMLParser", 8, "<handle end>"),
    FIELD("xml.etree.ElementTree.XMLParser", 9, "<handle comment>"),
    FIELD("xml.etree.ElementTree.XMLParser", 10, "<handle pi>"),
    FIELD("xml.etree.ElementTree.XMLParser", 11, "<handle doctype>"),
    FIELD("xml.etree.ElementTree.XMLParser", 12, "<handle close>"),
    KNOWN(13, 255, H, "xml.etree.ElementTree.XMLParser", 14, "<module>"),
    /* Modules/_csv.c, _pickle.c, _queuemodule.c, _struct.c, _json.c */
    HIDDEN("_csv.Dialect", 3, ".lineterminator"),
    FIELD("_csv.reader", 0, "<lines>"),
    FIELD("_csv.reader", 2, "<fields>"),
    FIELD("_csv.writer", 0, "<write>"),
    FIELD("_csv.writer", 6, "<error type>"),
    FIELD("_pickle.Pickler", 5, "<write>"),
    FIELD("_pickle.Unpickler", 0, "<stack>"),
    KNOWN(0, 14, H, "_pickle.Unpickler", 7, "<input>"), /* of the buffer that it reads from */
    KNOWN(0, 13, V, "_pickle.Unpickler", 21, "<read>"),
    KNOWN(0, 13, V, "_pickle.Unpickler", 22, "<readinto>"),
    KNOWN(0, 13, V, "_pickle.Unpickler", 23, "<readline>"),
    KNOWN(0, 13, V, "_pickle.Unpickler", 24, "<peek>"),
    KNOWN(14, 14, V, "_pickle.Unpickler", 23, "<read>"),
    KNOWN(14, 14, V, "_pickle.Unpickler", 24, "<readinto>"),
    KNOWN(14, 14, V, "_pickle.Unpickler", 25, "<readline>"),
    KNOWN(14, 14, V, "_pickle.Unpickler", 26, "<peek>"),
    KNOWN(15, 255, H, "_pickle.Unpickler", 8, "<input>"),
    KNOWN(15, 255, V, "_pickle.Unpickler", 24, "<read>"),
    KNOWN(15, 255, V, "_pickle.Unpickler", 25, "<readinto>"),
    KNOWN(15, 255, V, "_pickle.Unpickler", 26, "<readline>"),
    KNOWN(15, 255, V, "_pickle.Unpickler", 27, "<peek>"),
    FIELD("_pickle.PicklerMemoProxy", 0, "<pickler>"),
    FIELD("_pickle.UnpicklerMemoProxy", 0, "<unpickler>"),
    KNOWN(0, 12, V, "_queue.SimpleQueue", 2, "<items>"),
    FIELD("unpack_iterator _struct.unpack_iterator", 0, "<struct>"),
    FIELD("unpack_iterator _struct.unpack_iterator", 2, "<buffer>"),
    HIDDEN("_json.Scanner", 6, "<memo>"),
    /* Modules/_sqlite, _decimal, itertoolsmodule.c, zlibmodule.c, _bz2module.c, _lzmamodule.c, _zstd, selectmodule.c, _ssl.c, … */
    KNOWN(0, 9, H, "sqlite3.Connection", 8, "<statement cache>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 9, "<statements>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 10, "<cursors>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 14, "<trace callback>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 15, "<progress handler>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 16, "<authorizer>"),
    KNOWN(0, 9, H, "sqlite3.Connection", 17, "<collations>"),
    KNOWN(0, 9, H, "sqlite3.Cursor", 7, "<statement>"),
    KNOWN(0, 9, H, "sqlite3.Cursor", 10, "<next row>"),
    KNOWN(0, 9, H, "sqlite3.Statement", 2, "<sql>"),
    KNOWN(10, 10, V, "sqlite3.Statement", 2, "<sql>"),
    KNOWN(0, 9, H, "sqlite3Cache", 1, "<statements>"),
    KNOWN(0, 9, H, "sqlite3Node", 0, "<key>"),
    KNOWN(0, 9, H, "sqlite3Node", 1, "<statement>"),
    KNOWN(10, 10, V, "sqlite3.Connection", 8, "<statement cache>"),
    KNOWN(11, 11, V, "sqlite3.Connection", 6, "<statement cache>"),
    KNOWN(12, 255, V, "sqlite3.Connection", 7, "<statement cache>"),
    KNOWN(15, 255, V, "sqlite3.Connection", 9, ".row_factory"),
    KNOWN(15, 255, V, "sqlite3.Connection", 10, ".text_factory"),
    KNOWN(14, 255, V, "sqlite3.Cursor", 6, ".row_factory"),
    KNOWN(10, 10, V, "sqlite3.Connection", 9, "<statements>"),
    KNOWN(10, 10, V, "sqlite3.Connection", 10, "<cursors>"),
    KNOWN(11, 11, V, "sqlite3.Connection", 7, "<cursors>"),
    KNOWN(11, 11, V, "sqlite3.Connection", 8, "<blobs>"),
    KNOWN(12, 14, V, "sqlite3.Connection", 8, "<cursors>"),
    KNOWN(12, 14, V, "sqlite3.Connection", 9, "<blobs>"),
    KNOWN(15, 255, V, "sqlite3.Connection", 8, "<blobs>"),
    KNOWN(10, 255, V, "sqlite3.Cursor", 7, "<statement>"),
    FIELD("sqlite3.Blob", 0, "<connection>"),
    HIDDEN("sqlite3.Row", 0, "<values>"),
    HIDDEN("sqlite3.Row", 1, "<description>"),
    HIDDEN("decimal.Context", 6, ".traps"),
    HIDDEN("decimal.Context", 7, ".flags"),
    HIDDEN("decimal.ContextManager", 0, "<local context>"),
    HIDDEN("decimal.ContextManager", 1, "<global context>"),
    KNOWN(15, 255, H, "zlib.Decompress", 14, ".unused_data"), /* a member until 3.14 */
    KNOWN(15, 255, H, "zlib.Decompress", 15, ".unconsumed_tail"),
    HIDDEN("zlib.Decompress", 17, "<dictionary>"),
    KNOWN(15, 255, H, "_bz2.BZ2Decompressor", 11, ".unused_data"),
    KNOWN(15, 255, H, "_lzma.LZMADecompressor", 21, ".unused_data"),
    HIDDEN("compression.zstd.ZstdDict", 1, "<compressors' dicts>"),
    FIELD("compression.zstd.ZstdCompressor compression.zstd.ZstdDecompressor", 1, "<dictionary>"),
    HIDDEN("select.poll", 0, "<files>"),
    HIDDEN("_ssl._SSLSocket", 0, "<socket>"),
    HIDDEN("_ssl._SSLSocket", 2, ".context"),
    HIDDEN("_ssl._SSLSocket", 4, "<owner>"),
    HIDDEN("_ssl._SSLSocket", 5, ".server_hostname"),
    FIELD("_multibytecodec.MultibyteCodec", 1, "<module>"),
    HIDDEN("zoneinfo.ZoneInfo", 10, "<standard offset>"),
    HIDDEN("zoneinfo.ZoneInfo", 11, "<standard difference>"),
    HIDDEN("zoneinfo.ZoneInfo", 12, "<standard name>"),
    HIDDEN("zoneinfo.ZoneInfo", 14, "<summer offset>"),
    HIDDEN("zoneinfo.ZoneInfo", 15, "<summer difference>"),
    HIDDEN("zoneinfo.ZoneInfo", 16, "<summer name>"),
    KNOWN(0, 12, H, "posix.ScandirIterator", 7, "<path>"),
    KNOWN(0, 12, H, "posix.ScandirIterator", 8, "<encoded path>"),
    KNOWN(13, 13, H, "posix.ScandirIterator", 9, "<path>"),
    KNOWN(13, 13, H, "posix.ScandirIterator", 10, "<encoded path>"),
    FIELD("_asyncio.Future _asyncio.Task", 10, "<awaited by>"),
    KNOWN(14, 255, V, "operator.methodcaller", 3, "<vectorcall args>"),
    KNOWN(14, 255, V, "operator.methodcaller", 4, "<keyword names>"),
    /* Modules/_ctypes: ctypes.h; a StgDict is the dict of a type until 3.12 */
    FIELD("_ctypes.CField", 3, "<type>"),
    FIELD("_ctypes.CThunkObject", 8, "<converters>"),
    FIELD("_ctypes.CThunkObject", 9, "<callable>"),
    FIELD("_ctypes.CThunkObject", 10, "<restype>"),
    HIDDEN("_ctypes.DictRemover", 0, "<key>"),
    HIDDEN("_ctypes.DictRemover", 1, "<dict>"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 10, "<thunk>"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 11, "<callable>"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 12, "<converters>"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 13, ".argtypes"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 14, ".restype"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 15, "<checker>"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 16, ".errcheck"),
    FIELD("_ctypes.PyCFuncPtr _ctypes.CFuncPtr", 17, "<parameter flags>"),
    KNOWN(0, 12, H, "StgDict", 14, "<_argtypes_>"),
    KNOWN(0, 12, H, "StgDict", 15, "<converters>"),
    KNOWN(0, 12, H, "StgDict", 16, "<_restype_>"),
    KNOWN(0, 12, H, "StgDict", 17, "<checker>"),
    /* Modules/_datetimemodule.c */
    HIDDEN("datetime.timezone", 0, "<offset>"),
    HIDDEN("datetime.timezone", 1, "<name>"),
    /* numpy/ndarraytypes.h, PyArrayObject_fields, the same since 1.7: an array is no gc object */
    HIDDEN("numpy.ndarray", 4, ".base"),
    HIDDEN("numpy.ndarray", 5, ".dtype"),
    /* numpy/arrayscalars.h, PyVoidScalarObject: an element of a structured array is a view of it */
    HIDDEN("numpy.void", 2, ".dtype"),
    HIDDEN("numpy.void", 4, ".base"),
};

/* Whether name is one of the words of types. */
static bool
among(const char *types, const char *name)
{
    while (*types != '\0') {
        const char *n = name;
        while (*n != '\0' && *types == *n) {
            types++;
            n++;
        }
        if (*n == '\0' && (*types == '\0' || *types == ' '))
            return true;
        while (*types != '\0' && *types != ' ')
            types++;
        types += *types == ' ';
    }
    return false;
}

/* Of a word up to its end or a blank. */
static uint32_t
word_bit(const char **word)
{
    uint32_t hash = 0;
    unsigned n = 0;

    for (; **word != '\0' && **word != ' ' && n < sizeof known[0].types; ++*word, n++)
        hash = (hash + (uint8_t) * *word) * 0x9e3779b1u;
    return hash >> (32 - WORD_BITS);
}

void
wk_known_init(struct wk *w)
{
    w->known_words = wk_alloc(w, (1u << WORD_BITS) / 8);
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        for (const char *word = known[i].types; *word != '\0'; word += *word == ' ') {
            uint32_t bit = word_bit(&word);
            w->known_words[bit / 64] |= 1ull << bit % 64;
        }
}

bool
wk_known_field(struct wk *w, const char *type, unsigned *i, struct wk_field *out)
{
    uint8_t minor = w->facts.version & 0xff;

    if (*i == 0) {
        const char *word = type;
        uint32_t bit = word_bit(&word);
        if ((w->known_words[bit / 64] >> bit % 64 & 1) == 0)
            return false;
    }
    for (; *i < sizeof known / sizeof known[0]; ++*i) {
        const struct known_field *k = &known[*i];
        if (minor < k->first || minor > k->last || !among(k->types, type))
            continue;
        *out = (struct wk_field){WK_HEAD + 8 * k->offset, k->flags, wk_name(w, k->name)};
        ++*i;
        return true;
    }
    return false;
}
