using Taba.Diffusion.Tensors;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>An object of a place as the writer of tensor files sees it.</summary>
sealed class FolderSink(IObjectWriter writer) : IFileSink
{
    public void Write(ReadOnlySpan<byte> bytes) => writer.Write(bytes);

    public void Complete(ReadOnlySpan<byte> head) => writer.Complete(head);

    public void Dispose() => writer.Dispose();
}
