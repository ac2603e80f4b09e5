using System.Text;
using Taba.Diffusion.Native;

namespace Taba.Diffusion.Tests.Native;

public sealed class ElfVersionNeedsTests
{
    const string Marker = "GLIBCXX_3.4.32";

    static byte[] Library()
    {
        var names = new[] { "libLibTorchSharp.so", Path.Combine("runtimes", "linux-x64", "native", "libLibTorchSharp.so") };
        return File.ReadAllBytes(names.Select(n => Path.Combine(AppContext.BaseDirectory, n)).First(File.Exists));
    }

    [Fact]
    public void Weaken_Marker_SetsTheWeakFlagAndNothingElse()
    {
        var original = Library();
        var image = (byte[])original.Clone();

        var changed = ElfVersionNeeds.Weaken(image, Marker);

        Assert.Equal(1, changed);
        var differing = Enumerable.Range(0, image.Length).Where(i => image[i] != original[i]).ToList();
        var at = Assert.Single(differing);
        Assert.Equal(original[at] | 2, image[at]);
    }

    [Fact]
    public void Weaken_Twice_ChangesNothingMore()
    {
        var image = Library();
        ElfVersionNeeds.Weaken(image, Marker);
        var once = (byte[])image.Clone();

        ElfVersionNeeds.Weaken(image, Marker);

        Assert.Equal(once, image);
    }

    [Fact]
    public void Weaken_VersionThatASymbolUses_Refuses()
    {
        var error = Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Weaken(Library(), "GLIBCXX_3.4.21"));

        Assert.Contains("GLIBCXX_3.4.21", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weaken_VersionThatIsNotNeeded_ChangesNothing()
    {
        var original = Library();
        var image = (byte[])original.Clone();

        Assert.Equal(0, ElfVersionNeeds.Weaken(image, "GLIBCXX_9.9.99"));
        Assert.Equal(original, image);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(100_000)]
    public void Weaken_CutImage_Refuses(int length) =>
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Weaken(Library().AsSpan(0, length), Marker));

    [Fact]
    public void Weaken_OtherFile_Refuses() =>
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Weaken(Encoding.ASCII.GetBytes(new string('x', 200)), Marker));

    [Fact]
    public void Weaken_SectionOutsideTheFile_Refuses()
    {
        var image = Library();

        // The offset of the section table, pushed to the end of the address space.
        image.AsSpan(40, 8).Fill(0x7f);

        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Weaken(image, Marker));
    }
}
