using Taba.Diffusion.Metrics;

namespace Taba.Diffusion.Tests.Metrics;

/// <summary>Parts of an analysis that were saved and read before they are put together, as silos do.</summary>
static class SavedParts
{
    /// <summary>What is read of what was written; all of it must be read.</summary>
    public static T Saved<T>(T part)
        where T : IPartialSums<T>
    {
        var stream = new MemoryStream(Bytes(part));
        var read = T.Read(new BinaryReader(stream));
        Assert.Equal(stream.Length, stream.Position);
        return read;
    }

    public static T Merged<T>(params T[] parts)
        where T : IPartialSums<T>
    {
        var whole = Saved(parts[0]);
        foreach (var part in parts[1..])
            whole.Merge(Saved(part));
        return Saved(whole);
    }

    /// <summary>Whatever of the written bytes is missing or another version, reading says that in one kind of error.</summary>
    public static void AssertRefusesDamage<T>(T part)
        where T : IPartialSums<T>
    {
        var bytes = Bytes(part);
        for (var length = 0; length < bytes.Length; length += 1 + (length / 7))
            Assert.Throws<InvalidDataException>(() => T.Read(new BinaryReader(new MemoryStream(bytes, 0, length))));
        bytes[0]++;
        Assert.Throws<InvalidDataException>(() => T.Read(new BinaryReader(new MemoryStream(bytes))));
    }

    static byte[] Bytes<T>(T part)
        where T : IPartialSums<T>
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        part.Write(writer);
        writer.Flush();
        return stream.ToArray();
    }
}
