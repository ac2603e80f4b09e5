using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Taba.Diffusion.Weights;

/// <summary>A file mapped for reading, whose pages can be given back once they were used.</summary>
sealed unsafe partial class MappedFile : IDisposable
{
    readonly MemoryMappedFile _map;
    readonly MemoryMappedViewAccessor _view;
    readonly long _length;
    byte* _pointer;

    public MappedFile(SourceFile file)
    {
        _length = file.Length;
        if (RandomAccess.GetLength(file.Handle) < _length)
            throw file.Fault($"it became shorter than {_length} bytes while it was read.");

        _map = MemoryMappedFile.CreateFromFile(
            file.Handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, _length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        _pointer += _view.PointerOffset;
    }

    public byte* At(long offset) => _pointer + offset;

    /// <summary>
    /// Gives the pages of a region back to the system; they are read again when touched again. A loaded checkpoint then
    /// costs its tensors, not its tensors and its file.
    /// </summary>
    public void DropPages(long offset, long count)
    {
        if (OperatingSystem.IsWindows() || count <= 0)
            return;

        var page = Environment.SystemPageSize;
        var begin = (nint)(_pointer + offset) & ~(nint)(page - 1);
        var end = (nint)(_pointer + Math.Min(offset + count, _length));
        const int MadvDontNeed = 4; // the same number on Linux and macOS

        // Advice only: a failure costs memory, not correctness.
        _ = MemoryAdvise(begin, (nuint)(end - begin), MadvDontNeed);
    }

    public void Dispose()
    {
        if (_pointer is not null)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _pointer = null;
        }

        _view.Dispose();
        _map.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);
}
