using System.Net;
using System.Runtime.InteropServices;
using SkiaSharp;
using Taba.Silo.Pictures;
using Taba.Silo.Tests.Hosting;
using Taba.Storage.Manifests;

namespace Taba.Silo.Tests.Web;

/// <summary>Published rows as pictures, of a real silo over HTTP.</summary>
public sealed class SamplePagesTests : IAsyncLifetime
{
    const int Side = 8;

    ShownSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await ShownSilo.StartAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Theory]
    [InlineData(StageKind.Sample, 37, 1)]
    [InlineData(StageKind.Sample, 0, 5)]
    [InlineData(StageKind.Invert, 39, 2)]
    [InlineData(StageKind.Reconstruct, 12, 100)]
    public async Task Picture_OfAPublishedRow_IsThatRowPixelByPixel(StageKind kind, int row, int scale)
    {
        var plan = _silo.Plan(40);
        await _silo.RunAsync(plan);
        var stage = plan.Stages.First(s => s.Spec.Kind == kind);
        var values = await RowAsync(stage.Key, row);
        var range = kind is StageKind.Invert ? ValueRange.Latent : ValueRange.Image;

        using var answer = await _silo.Client.GetAsync($"api/stages/{stage.Key}/samples/{row}.png?scale={scale}");

        Assert.Equal("image/png", answer.Content.Headers.ContentType!.MediaType);
        using var bitmap = SKBitmap.Decode(await answer.Content.ReadAsByteArrayAsync());
        var drawn = Math.Min(scale, 8);
        Assert.Equal((Side * drawn, Side * drawn), (bitmap.Width, bitmap.Height));
        for (var y = 0; y < bitmap.Height; y++)
        {
            for (var x = 0; x < bitmap.Width; x++)
            {
                var at = y / drawn * Side + x / drawn;
                Assert.Equal(
                    new SKColor(
                        range.Byte(values[at]), range.Byte(values[Side * Side + at]), range.Byte(values[2 * Side * Side + at])),
                    bitmap.GetPixel(x, y));
            }
        }
    }

    [Fact]
    public async Task Picture_ThatIsKnownAlready_IsNotSentAgain()
    {
        var plan = _silo.Plan(8);
        await _silo.RunAsync(plan);
        var path = $"api/stages/{plan.Stages[0].Key}/samples/3.png";
        using var first = await _silo.Client.GetAsync(path);
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await _silo.Client.SendAsync(request);
        using var other = await _silo.Client.GetAsync($"api/stages/{plan.Stages[0].Key}/samples/4.png");

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.NotEqual(first.Headers.ETag, other.Headers.ETag);
    }

    [Fact]
    public async Task Pictures_AskedForAllAtOnce_AllComeOrAreToBeAskedForAgain()
    {
        var plan = _silo.Plan(40);
        await _silo.RunAsync(plan);

        // More than may wait, and fewer than the server has connections.
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 200 }) { BaseAddress = _silo.Address };
        var answers = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => client.GetAsync(
            $"api/stages/{plan.Stages[0].Key}/samples/{i % 40}.png?scale={1 + i / 40 % 8}")));

        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable));
        Assert.True(answers.Count(a => a.IsSuccessStatusCode) >= 128);
        // The places of those that were drawn are free again.
        Assert.Equal(HttpStatusCode.OK, (await _silo.Client.GetAsync($"api/stages/{plan.Stages[0].Key}/samples/1.png?scale=7")).StatusCode);
    }

    [Theory]
    [InlineData("KEY/samples/8.png", 404, "not published")]
    [InlineData("KEY/samples/2147483647.png", 404, "no such stage")]
    [InlineData("KEY/samples/-1.png", 404, "nothing at this address")]
    [InlineData("KEY/samples/1", 404, "nothing at this address")]
    [InlineData("KEY/samples/1.png.exe", 404, "nothing at this address")]
    [InlineData("0123456789abcdef0123456789abcdef/samples/1.png", 404, "not published")]
    [InlineData("ABC/samples/1.png", 404, "no such stage")]
    [InlineData("..%2f..%2fetc/samples/1.png", 404, "no such stage")]
    [InlineData("KEY/samples/1.png?scale=x", 400, "a number in the address")]
    public async Task Picture_OfWhatThereIsNot_IsRefusedWithASentence(string path, int status, string says)
    {
        var plan = _silo.Plan(8);
        await _silo.RunAsync(plan);

        using var answer = await _silo.Client.GetAsync(
            new Uri($"api/stages/{path.Replace("KEY", plan.Stages[0].Key, StringComparison.Ordinal)}", UriKind.Relative));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(says, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    async Task<float[]> RowAsync(string stage, int row)
    {
        using var reader = await StageReader.OpenAsync(_silo.Silo.Store, stage, new(row, row + 1), CancellationToken.None);
        var bytes = new byte[3 * Side * Side * sizeof(float)];
        reader.ReadResult(new(row, row + 1), bytes);
        return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }
}
